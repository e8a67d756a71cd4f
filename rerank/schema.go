package rerank

// Schema describes the settings document.
func Schema() []byte { return []byte(`{}`) }
