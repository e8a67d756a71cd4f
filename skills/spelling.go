package skills

import "strings"

// american respells a folded word the American way, so that both spellings meet.
// Since names and texts go through it alike, it need not be right about words that
// are spelt in one way only; it must only keep different words apart.
func american(w string) string {
	if len(w) < 6 {
		return w
	}
	switch w {
	case "programme":
		return "program"
	case "programmes":
		return "programs"
	}
	w = respell(w, 3, "is", "iz", "aei") // organise, organisation
	if !strings.HasSuffix(w, "yses") {   // which is the plural of -ysis
		w = respell(w, 3, "ys", "yz", "e") // analyse
		w = respell(w, 3, "ysing", "yzing", "")
	}
	w = respell(w, 2, "our", "or", "")    // colour, behavioural
	w = respell(w, 0, "ae", "e", "")      // paediatrics, archaeology
	w = respell(w, 2, "llery", "lry", "") // jewellery
	for _, ending := range []string{"ling", "led", "ler", "lor"} {
		if i := strings.Index(w, "l"+ending); i > 0 && syllables(w[:i]) > 1 {
			w = respell(w, 2, "l"+ending, ending, "") // modelling, counsellor, but not selling
		}
	}
	switch {
	case strings.HasSuffix(w, "tre"):
		return w[:len(w)-2] + "er" // centre, theatre
	case strings.HasSuffix(w, "tres"):
		return w[:len(w)-3] + "ers"
	}
	return w
}

// syllables counts the groups of vowels.
func syllables(w string) int {
	n, before := 0, false
	for i := range len(w) {
		vowel := strings.IndexByte("aeiouy", w[i]) >= 0
		if vowel && !before {
			n++
		}
		before = vowel
	}
	return n
}

// respell changes the first occurrence of from that has at least lead bytes
// before it and one of follow behind it, if any follow are given.
func respell(w string, lead int, from, to, follow string) string {
	i := strings.Index(w[min(lead, len(w)):], from)
	if i < 0 {
		return w
	}
	i += lead
	end := i + len(from)
	if follow != "" && (end == len(w) || strings.IndexByte(follow, w[end]) < 0) {
		return w
	}
	return w[:i] + to + w[end:]
}
