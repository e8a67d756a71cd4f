package text

// Documents is how many live documents hold a word, folded as tokens are: of the
// terms that the word has counted as, the most frequent one's. It is 0 for a word
// that no document holds, and for stop words, which are not counted.
func (l *Lexicon) Documents(folded string) int {
	l.mu.RLock()
	defer l.mu.RUnlock()
	most := int32(0)
	e, ok := l.vocab.heads[folded]
	for ; ok && e >= 0; e = l.vocab.entries[e].next {
		most = max(most, l.df[l.vocab.entries[e].term])
	}
	return int(most)
}
