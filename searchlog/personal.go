package searchlog

import (
	"strings"
	"unicode"
)

// The digits by which a text looks like a number that belongs to somebody: a
// telephone, a card, an account, an identity.
const (
	personalRun    = 6 // digits without anything between them; years have four
	personalSpaced = 9 // digits with single signs or spaces between them
)

// personal reports whether a text looks like data of a person: an e-mail address
// or a long number. It is generous: a phrase that is left out is no loss.
func personal(s string) bool {
	return hasAddress(s) || hasLongNumber(s)
}

// hasAddress reports a sign of e-mail addresses with something on both sides.
func hasAddress(s string) bool {
	for word := range strings.FieldsSeq(s) {
		for i, r := range word {
			if (r == '@' || r == '＠') && i > 0 && i+len(string(r)) < len(word) {
				return true
			}
		}
	}
	return false
}

// hasLongNumber reports a long run of digits.
func hasLongNumber(s string) bool {
	run, spaced, gap := 0, 0, 0
	for _, r := range s {
		if unicode.IsDigit(r) {
			run++
			spaced++
			gap = 0
			if run >= personalRun || spaced >= personalSpaced {
				return true
			}
			continue
		}
		run = 0
		gap++
		if gap > 2 || !betweenDigits(r) { // "+1 (555) 123" has two signs in a row
			spaced = 0
		}
	}
	return false
}

// betweenDigits reports what people write between the parts of a number.
func betweenDigits(r rune) bool {
	return unicode.IsSpace(r) || strings.ContainsRune("-./()+–", r)
}
