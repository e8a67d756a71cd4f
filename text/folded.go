package text

// Fold returns a text in the form in which texts are compared letter by letter:
// as words are folded, without being parted into words or stemmed. Spaces and
// signs stay.
func Fold(s string) string { return foldWord(normalise(s)) }
