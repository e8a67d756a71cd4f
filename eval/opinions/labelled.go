package opinions

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/ml/sentiment"
)

// Labelled is a text with the aspects that people say it speaks of.
type Labelled struct {
	Text     string
	Language string
	Aspects  []lectern.Aspect // in their usual order, each once; none is a label too
	Polarity string           // positive, negative or ""
}

// aspectNames are other names of aspects that labels may use.
func aspectNames() map[string]lectern.Aspect {
	out := map[string]lectern.Aspect{
		"instructor": lectern.AspectTeaching, "teacher": lectern.AspectTeaching, "lectures": lectern.AspectTeaching,
		"material": lectern.AspectContent, "materials": lectern.AspectContent,
		"difficulty": lectern.AspectPace, "pace/difficulty": lectern.AspectPace, "pace and difficulty": lectern.AspectPace,
		"pace_difficulty": lectern.AspectPace, "pace_and_difficulty": lectern.AspectPace, "pace & difficulty": lectern.AspectPace,
		"assignment": lectern.AspectAssignments, "exercises": lectern.AspectAssignments,
		"price": lectern.AspectValue, "value for money": lectern.AspectValue,
	}
	for _, a := range lectern.Aspects() {
		out[string(a)] = a
	}
	return out
}

// ReadLabelled reads a CSV file, compressed where its name ends in .gz, with the
// columns text, aspect and, where wanted, polarity and language. An aspect is one of
// the six, several with semicolons, or none; rows with the same text are one text.
func ReadLabelled(path string) ([]Labelled, error) {
	return readFile(path, parseLabelled)
}

func parseLabelled(r io.Reader) ([]Labelled, error) {
	in := csv.NewReader(r)
	column, err := readHead(in, "text", "aspect")
	if err != nil {
		return nil, err
	}
	names := aspectNames()
	var out []Labelled
	byText := map[string]int{}
	for n := 2; ; n++ {
		row, err := in.Read()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		polarity, err := polarityOf(column.of(row, "polarity"))
		if err != nil {
			return nil, fmt.Errorf("row %d: %w", n, err)
		}
		text := column.of(row, "text")
		at, ok := byText[text]
		if !ok {
			at = len(out)
			byText[text] = at
			out = append(out, Labelled{Text: text, Language: column.of(row, "language"), Polarity: polarity})
		}
		l := &out[at]
		if l.Polarity != polarity {
			l.Polarity = "" // of several aspects, not the same of all
		}
		for name := range strings.FieldsFuncSeq(strings.ToLower(column.of(row, "aspect")), func(r rune) bool { return r == ';' || r == '|' || r == '+' }) {
			if name = strings.TrimSpace(name); name == "" || name == "none" {
				continue
			}
			a, ok := names[name]
			if !ok {
				return nil, fmt.Errorf("row %d: aspect %q is none of %v", n, name, lectern.Aspects())
			}
			if !slices.Contains(l.Aspects, a) {
				l.Aspects = append(l.Aspects, a)
			}
		}
	}
}

func polarityOf(s string) (string, error) {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "", "neutral", "mixed", "0", "none":
		return "", nil
	case "positive", "pos", "good", "1", "+1", "+":
		return "positive", nil
	case "negative", "neg", "bad", "-1", "-":
		return "negative", nil
	}
	return "", fmt.Errorf("polarity %q is neither positive nor negative nor neutral", s)
}

// AspectFigures are how well one aspect is found.
type AspectFigures struct {
	Aspect    lectern.Aspect `json:"aspect"`
	Labelled  int            `json:"labelled"` // texts that people say speak of it
	Found     int            `json:"found"`
	Precision float64        `json:"precision"`
	Recall    float64        `json:"recall"`
	F1        float64        `json:"f1"`
}

// LabelledResult is how well the aspects of labelled texts are found.
type LabelledResult struct {
	Model     string          `json:"model"`
	Texts     int             `json:"texts"`
	Exact     int             `json:"exact"` // all aspects found and no other
	First     int             `json:"first"` // of those with a label: the clearest aspect is one
	WithLabel int             `json:"with_label"`
	Aspects   []AspectFigures `json:"aspects"`
	Micro     AspectFigures   `json:"micro"` // over all pairs of text and aspect
	MacroF1   float64         `json:"macro_f1"`
	Polarity  [2]int          `json:"polarity"` // right, of: those with a polarity
	Wrong     []WrongAspects  `json:"wrong,omitempty"`
}

// WrongAspects is a text whose aspects came out otherwise.
type WrongAspects struct {
	Text string           `json:"text"`
	Want []lectern.Aspect `json:"want"`
	Got  []lectern.Aspect `json:"got"`
}

// JudgeAspects finds the aspects of labelled texts.
func JudgeAspects(c sentiment.SentenceClassifier, a *sentiment.Aspects, texts []Labelled) LabelledResult {
	out := LabelledResult{Model: kind(c), Texts: len(texts)}
	hits, said, labelled := map[lectern.Aspect]int{}, map[lectern.Aspect]int{}, map[lectern.Aspect]int{}
	for _, l := range texts {
		var got []lectern.Aspect
		for _, s := range a.InText(l.Text, l.Language, c) {
			got = append(got, s.Aspect)
			said[s.Aspect]++
			if slices.Contains(l.Aspects, s.Aspect) {
				hits[s.Aspect]++
			}
		}
		for _, want := range l.Aspects {
			labelled[want]++
		}
		if len(l.Aspects) > 0 {
			out.WithLabel++
			if len(got) > 0 && slices.Contains(l.Aspects, got[0]) {
				out.First++
			}
		}
		if sameAspects(got, l.Aspects) {
			out.Exact++
		} else {
			out.Wrong = append(out.Wrong, WrongAspects{Text: l.Text, Want: l.Aspects, Got: got})
		}
		out.polarity(c, l)
	}
	total := [3]int{}
	for _, a := range lectern.Aspects() {
		f := aspectFigures(a, hits[a], said[a], labelled[a])
		out.Aspects = append(out.Aspects, f)
		out.MacroF1 += f.F1 / float64(len(lectern.Aspects()))
		total[0], total[1], total[2] = total[0]+hits[a], total[1]+said[a], total[2]+labelled[a]
	}
	out.Micro = aspectFigures("all", total[0], total[1], total[2])
	return out
}

// polarity counts a text with a polarity: at least as much praise as blame, or not.
func (r *LabelledResult) polarity(c sentiment.SentenceClassifier, l Labelled) {
	if l.Polarity == "" {
		return
	}
	r.Polarity[1]++
	p, ok := c.ScoreSentence(l.Text, l.Language)
	if ok && (p > 0.5 && l.Polarity == "positive" || p < 0.5 && l.Polarity == "negative") {
		r.Polarity[0]++
	}
}

func sameAspects(a, b []lectern.Aspect) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(x lectern.Aspect) bool { return !slices.Contains(b, x) })
}

func aspectFigures(a lectern.Aspect, hits, said, labelled int) AspectFigures {
	return AspectFigures{
		Aspect: a, Labelled: labelled, Found: said, Precision: float64(hits) / float64(max(said, 1)),
		Recall: float64(hits) / float64(max(labelled, 1)), F1: harmonic(float64(hits), float64(said-hits), float64(labelled-hits)),
	}
}

func (p *printer) labelled(r *LabelledResult) {
	p.f("\naspects of %d labelled texts by %s: %d exactly right (%.1f %%); the clearest is right in %d of %d\n",
		r.Texts, r.Model, r.Exact, 100*float64(r.Exact)/float64(max(r.Texts, 1)), r.First, r.WithLabel)
	p.f("  %-12s %9s %9s %9s %9s %9s\n", "", "labelled", "found", "precision", "recall", "F1")
	for _, a := range append(slices.Clone(r.Aspects), r.Micro) {
		p.f("  %-12s %9d %9d %9.3f %9.3f %9.3f\n", a.Aspect, a.Labelled, a.Found, a.Precision, a.Recall, a.F1)
	}
	p.f("  macro F1 %.3f", r.MacroF1)
	if r.Polarity[1] > 0 {
		p.f("; praise and blame told apart in %d of %d", r.Polarity[0], r.Polarity[1])
	}
	p.f("\n")
	for _, w := range r.Wrong {
		p.f("  want %v, got %v: %s\n", w.Want, w.Got, w.Text)
	}
}
