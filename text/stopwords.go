package text

// isStopWord reports whether a folded word carries grammar rather than meaning
// in English, Spanish, French, Portuguese, German or Russian. Words that mean
// something in another of these languages, or in a course title, are not listed:
// a missing stop word costs little because its inverse document frequency is low.
func isStopWord(w string) bool {
	switch w {
	case "a", "about", "above", "after", "again", "all", "also", "am", "an", "and", "any", "are", "as", "at",
		"be", "because", "been", "before", "being", "below", "between", "both", "but", "by",
		"can", "could", "did", "do", "does", "doing", "down", "during", "each", "few", "for", "from", "further",
		"had", "has", "have", "having", "he", "her", "here", "hers", "him", "his", "how",
		"i", "if", "in", "into", "is", "it", "its", "it's", "just", "me", "more", "most", "my",
		"no", "nor", "not", "now", "of", "off", "on", "once", "only", "or", "other", "our", "ours", "out", "over", "own",
		"same", "she", "should", "so", "some", "such", "than", "that", "the", "their", "theirs", "them", "then",
		"there", "these", "they", "this", "those", "through", "to", "too", "under", "until", "up", "us",
		"very", "was", "we", "were", "what", "when", "where", "which", "while", "who", "whom", "why", "will",
		"with", "would", "you", "you'll", "you're", "your", "yours":
		return true
	case "el", "la", "los", "las", "un", "una", "unos", "unas", "de", "del", "al", "y", "e", "o", "u", "en", "con",
		"por", "para", "que", "se", "su", "sus", "es", "son", "lo", "le", "les", "como",
		"du", "des", "et", "ou", "dans", "sur", "pour", "par", "avec", "est", "sont", "une", "ce", "ces", "cette", "qui",
		"os", "um", "uma", "da", "dos", "em", "na", "nos", "nas", "ao", "com",
		"der", "die", "das", "den", "dem", "ein", "eine", "und", "oder", "mit", "von", "zu", "im", "fur", "auf", "ist":
		return true
	case "и", "в", "во", "не", "что", "он", "на", "я", "с", "со", "как", "а", "то", "все", "она", "так", "его", "но",
		"да", "ты", "к", "у", "же", "вы", "за", "бы", "по", "ее", "от", "из", "для", "о", "об", "при", "это", "этот":
		return true
	}
	return false
}
