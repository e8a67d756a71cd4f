package openai

// EstimateTokens adds up what texts are estimated to have.
func EstimateTokens(texts ...string) int {
	n := 0
	for _, s := range texts {
		n += estimateTokens(s) + specialTokens
	}
	return n
}
