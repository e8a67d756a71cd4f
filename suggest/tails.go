package suggest

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// tail is a word from one of its later letters on: "wirtschaft" of
// "betriebswirtschaft". Tails find what stands inside of compound words.
type tail struct {
	word int32
	from uint16 // byte
}

// Tails are kept of words of compoundLetters letters; they are tailLetters long at
// least, and leave out as many.
const (
	compoundLetters = 8
	tailLetters     = 4
)

func (d *dictionary) makeTails() {
	for number, w := range d.words {
		letters := utf8.RuneCountInString(w)
		if letters < compoundLetters {
			continue
		}
		at := 0
		for from := range w {
			if at >= tailLetters && letters-at >= tailLetters {
				d.tails = append(d.tails, tail{int32(number), uint16(from)})
			}
			at++
		}
	}
	d.tails = slices.Clip(d.tails)
	slices.SortFunc(d.tails, func(a, b tail) int { return strings.Compare(d.tail(a), d.tail(b)) })
}

func (d *dictionary) tail(t tail) string { return d.words[t.word][t.from:] }

// maxInside is how many compound words a word is looked up in.
const maxInside = 256

// inside returns the compound words that hold w after their first letters, rising.
func (d *dictionary) inside(w string) []int32 {
	if utf8.RuneCountInString(w) < tailLetters {
		return nil
	}
	from, _ := slices.BinarySearchFunc(d.tails, w, func(t tail, w string) int { return strings.Compare(d.tail(t), w) })
	var out []int32
	for _, t := range d.tails[from:min(len(d.tails), from+maxInside)] {
		if !strings.HasPrefix(d.tail(t), w) {
			break
		}
		out = append(out, t.word)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// withInside adds words to ranges, which hold none of them twice; ranges and words
// rise.
func withInside(ranges []near, words []int32) []near {
	if len(words) == 0 {
		return ranges
	}
	out := make([]near, 0, len(ranges)+len(words))
	for _, w := range words {
		for len(ranges) > 0 && ranges[0].hi <= w {
			out = append(out, ranges[0])
			ranges = ranges[1:]
		}
		if len(ranges) == 0 || w < ranges[0].lo {
			out = append(out, near{w, w + 1, insideWord})
		}
	}
	return append(out, ranges...)
}
