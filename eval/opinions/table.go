package opinions

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/lectern-dev/lectern/ml/sentiment"
)

// Sentence is one of a table of sentences written by hand.
type Sentence struct {
	Kind string `json:"kind"` // of trap
	Want string `json:"want"` // good, bad or mixed
	Text string `json:"text"`
}

// ReadTable reads lines of kind, want and text, separated by tabs; # begins a comment
// and the first line may be a header.
func ReadTable(r io.Reader) ([]Sentence, error) {
	var out []Sentence
	in := bufio.NewScanner(r)
	for n := 1; in.Scan(); n++ {
		line := strings.TrimRight(in.Text(), "\r")
		if line == "" || strings.HasPrefix(line, "#") || strings.HasPrefix(line, "kind\twant\t") {
			continue
		}
		f := strings.Split(line, "\t")
		if len(f) != 3 || f[1] != "good" && f[1] != "bad" && f[1] != "mixed" {
			return nil, fmt.Errorf("line %d: want kind, good, bad or mixed, and text", n)
		}
		out = append(out, Sentence{Kind: f[0], Want: f[1], Text: f[2]})
	}
	return out, in.Err()
}

// Mixed sentences are right between these scores; good and bad ones above and below
// the middle.
const (
	mixedLow  = 0.2
	mixedHigh = 0.8
)

// TableResult is what a classifier made of a table.
type TableResult struct {
	Model  string            `json:"model"`
	Right  int               `json:"right"`
	Of     int               `json:"of"`
	ByKind map[string][2]int `json:"by_kind"` // right, of
	Wrong  []WrongSentence   `json:"wrong"`
}

// WrongSentence is one that came out wrong.
type WrongSentence struct {
	Sentence
	P float64 `json:"p"` // .5 also where it was not read
}

// Judge reads the sentences of a table.
func Judge(c sentiment.SentenceClassifier, table []Sentence) TableResult {
	out := TableResult{Model: c.Name(), Of: len(table), ByKind: map[string][2]int{}}
	for _, s := range table {
		p, ok := c.ScoreSentence(s.Text, "en")
		if !ok {
			p = 0.5
		}
		var right bool
		switch s.Want {
		case "good":
			right = p > 0.5
		case "bad":
			right = p < 0.5
		default:
			right = p >= mixedLow && p <= mixedHigh
		}
		k := out.ByKind[s.Kind]
		k[1]++
		if right {
			k[0]++
			out.Right++
		} else {
			out.Wrong = append(out.Wrong, WrongSentence{s, p})
		}
		out.ByKind[s.Kind] = k
	}
	return out
}
