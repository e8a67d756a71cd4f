package retrieve

import (
	"slices"
	"strings"
	"sync"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
)

// sharedMost bounds how many texts are remembered. When there are more, remembering
// begins anew: that costs room, and changes nothing.
const sharedMost = 1 << 14

// sharedTexts give equal names of courses one place in memory. Lists compare the
// languages, levels, providers and categories of some hundred courses each: those of
// which there are few then lie in the processor's cache. It is safe for concurrent use.
type sharedTexts struct {
	mu        sync.Mutex
	texts     map[string]string
	languages map[string][]string // by the first of lectern.LanguageKeys
}

func newSharedTexts() *sharedTexts {
	return &sharedTexts{texts: make(map[string]string), languages: make(map[string][]string)}
}

// share replaces the names of a course by the same ones of courses before it.
func (s *sharedTexts) share(f *rerank.Facts, p *lectern.Payload) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f.Level = lectern.Level(s.text(string(f.Level)))
	f.Language = s.text(f.Language)
	p.Level, p.Status = f.Level, lectern.Status(s.text(string(p.Status)))
	p.Provider = s.text(p.Provider)
	p.Languages = s.languageKeys(p.Languages)
	for _, names := range [][]string{p.Categories, p.Skills} {
		for i, name := range names {
			names[i] = s.text(name)
		}
	}
}

// text returns a text that is equal to t. The caller holds s.mu.
func (s *sharedTexts) text(t string) string {
	if have, ok := s.texts[t]; ok {
		return have
	}
	if len(s.texts) == sharedMost {
		clear(s.texts)
	}
	t = strings.Clone(t) // it may be a part of something large
	s.texts[t] = t
	return t
}

// languageKeys returns keys that are equal to these. Read only. The caller holds s.mu.
func (s *sharedTexts) languageKeys(keys []string) []string {
	if len(keys) == 0 {
		return keys
	}
	if have, ok := s.languages[keys[0]]; ok && slices.Equal(have, keys) {
		return have
	}
	if len(s.languages) == sharedMost {
		clear(s.languages)
	}
	s.languages[keys[0]] = slices.Clip(keys)
	return keys
}
