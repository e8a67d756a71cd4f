package demo

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// bankFiles holds the words; see banks/README.md for the format.
//
//go:embed banks
var bankFiles embed.FS

// banks is everything the generator can say.
type banks struct {
	subjects  []*subject
	topics    []*topic // all subjects', in order
	byName    map[string]*topic
	languages []*language
	phrases   map[string][]template // course and title sentences by section
	reviews   map[string][]template
	cultures  []culture
	providers []provider
}

// subject is a broad category with what its topics share.
type subject struct {
	name     string
	weight   float64 // share of the catalogue and of interest
	hours    float64 // median workload
	goals    []string
	audience []string
	methods  []template
	topics   []*topic
}

// topic is one field of study. Lists rise from basic to advanced.
type topic struct {
	index    int // in banks.topics
	name     string
	subject  *subject
	trend    float64 // in [-1, 1]: falling to rising over the history
	season   float64 // month of the yearly peak in [0, 12); negative is none
	needs    []*topic
	needed   []string // names, before they are resolved
	about    []template
	skills   []string
	units    []string
	tools    []string
	projects []string
}

// language is how courses of one language other than English speak.
type language struct {
	tag     string
	regions []string
	joiner  string // the word for "and", with its spaces
	label   string // "Module"
	phrases map[string][]template
	topics  []*localTopic
}

// localTopic is a topic in another language.
type localTopic struct {
	topic *topic
	name  string
	about []template
	units []string
}

// culture is a stock of names that go together.
type culture struct {
	given, family []string
	familyFirst   bool
}

// provider is an invented school.
type provider struct {
	name     string
	subjects map[string]bool // nil teaches everything
	language string          // "" is English
}

// loadBanks reads the embedded banks. They are part of the binary and read in
// full by the tests, so a mistake in them is a programming error: it panics.
func loadBanks() *banks {
	b, err := readBanks(bankFiles)
	if err != nil {
		panic("demo: broken bank: " + err.Error())
	}
	return b
}

// entry is one "key: value" line.
type entry struct{ key, value string }

// parseEntries reads lines of "key: value". Blank lines and lines that start
// with # are skipped; a line that starts with a blank continues the last value.
func parseEntries(text string) ([]entry, error) {
	var out []entry
	for i, line := range strings.Split(text, "\n") {
		trimmed := strings.TrimSpace(line)
		switch {
		case trimmed == "" || trimmed[0] == '#':
		case line[0] == ' ' || line[0] == '\t':
			if len(out) == 0 {
				return nil, fmt.Errorf("line %d: continues nothing", i+1)
			}
			out[len(out)-1].value += " " + trimmed
		default:
			key, value, ok := strings.Cut(line, ":")
			if !ok {
				return nil, fmt.Errorf("line %d: no key", i+1)
			}
			out = append(out, entry{strings.TrimSpace(key), strings.TrimSpace(value)})
		}
	}
	return out, nil
}

// list splits a value at sep and drops empty parts.
func list(value, sep string) []string {
	var out []string
	for part := range strings.SplitSeq(value, sep) {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

// sentences parses a value of templates separated by bars.
func sentences(value string) ([]template, error) {
	var out []template
	for _, s := range list(value, "|") {
		t, err := parseTemplate(s)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

func readBanks(fsys fs.FS) (*banks, error) {
	b := &banks{byName: map[string]*topic{}}
	steps := []struct {
		pattern string
		read    func([]entry) error
	}{
		{"banks/subjects/*.txt", b.readSubject},
		{"banks/course.txt", func(e []entry) (err error) { b.phrases, err = sections(e); return err }},
		{"banks/review.txt", func(e []entry) (err error) { b.reviews, err = sections(e); return err }},
		{"banks/names.txt", b.readNames},
		{"banks/providers.txt", b.readProviders},
		{"banks/languages/*.txt", b.readLanguage},
	}
	for _, step := range steps {
		names, err := fs.Glob(fsys, step.pattern)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			if err := readBank(fsys, name, step.read); err != nil {
				return nil, fmt.Errorf("%s: %w", path.Base(name), err)
			}
		}
	}
	return b, b.resolve()
}

func readBank(fsys fs.FS, name string, read func([]entry) error) error {
	text, err := fs.ReadFile(fsys, name)
	if err != nil {
		return err
	}
	entries, err := parseEntries(string(text))
	if err != nil {
		return err
	}
	return read(entries)
}

// resolve links topics to the topics they need.
func (b *banks) resolve() error {
	for _, t := range b.topics {
		for _, name := range t.needed {
			need, ok := b.byName[name]
			if !ok {
				return fmt.Errorf("topic %q needs unknown %q", t.name, name)
			}
			t.needs = append(t.needs, need)
		}
	}
	return nil
}

// sections reads templates under their keys; a key may come more than once.
func sections(entries []entry) (map[string][]template, error) {
	out := map[string][]template{}
	for _, e := range entries {
		ts, err := sentences(e.value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", e.key, err)
		}
		out[e.key] = append(out[e.key], ts...)
	}
	return out, nil
}

func (b *banks) readSubject(entries []entry) error {
	s := &subject{weight: 1, hours: 12}
	b.subjects = append(b.subjects, s)
	for _, e := range entries {
		var err error
		switch e.key {
		case "subject":
			s.name = e.value
		case "weight":
			s.weight, err = strconv.ParseFloat(e.value, 64)
		case "hours":
			s.hours, err = strconv.ParseFloat(e.value, 64)
		case "goals":
			s.goals = list(e.value, ";")
		case "audience":
			s.audience = list(e.value, ";")
		case "method":
			s.methods, err = sentences(e.value)
		case "topic":
			err = b.addTopic(s, e.value)
		default:
			if len(s.topics) == 0 {
				return fmt.Errorf("unknown key %q", e.key)
			}
			err = s.topics[len(s.topics)-1].set(e)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", e.key, err)
		}
	}
	return nil
}

func (b *banks) addTopic(s *subject, name string) error {
	if b.byName[name] != nil {
		return fmt.Errorf("%q twice", name)
	}
	t := &topic{index: len(b.topics), name: name, subject: s, season: -1}
	s.topics = append(s.topics, t)
	b.topics = append(b.topics, t)
	b.byName[name] = t
	return nil
}

func (t *topic) set(e entry) (err error) {
	switch e.key {
	case "trend":
		t.trend, err = strconv.ParseFloat(e.value, 64)
	case "season":
		t.season, err = strconv.ParseFloat(e.value, 64)
	case "needs":
		t.needed = list(e.value, ";")
	case "about":
		t.about, err = sentences(e.value)
	case "skills":
		t.skills = list(e.value, ";")
	case "units":
		t.units = list(e.value, ";")
	case "tools":
		t.tools = list(e.value, ";")
	case "projects":
		t.projects = list(e.value, ";")
	default:
		err = fmt.Errorf("unknown key")
	}
	return err
}

func (b *banks) readLanguage(entries []entry) error {
	l := &language{phrases: map[string][]template{}, joiner: " "}
	b.languages = append(b.languages, l)
	for _, e := range entries {
		if err := b.setLanguage(l, e); err != nil {
			return fmt.Errorf("%s: %w", e.key, err)
		}
	}
	return nil
}

func (b *banks) setLanguage(l *language, e entry) error {
	var local *localTopic
	if n := len(l.topics); n > 0 {
		local = l.topics[n-1]
	}
	switch e.key {
	case "language":
		l.tag = e.value
	case "regions":
		l.regions = list(e.value, ";")
	case "and":
		l.joiner = strings.ReplaceAll(e.value, "_", " ")
	case "label":
		l.label = e.value
	case "topic":
		t := b.byName[e.value]
		if t == nil {
			return fmt.Errorf("unknown topic %q", e.value)
		}
		l.topics = append(l.topics, &localTopic{topic: t})
	case "name":
		local.name = e.value
	case "units":
		local.units = list(e.value, ";")
	case "about":
		ts, err := sentences(e.value)
		local.about = ts
		return err
	default:
		ts, err := sentences(e.value)
		l.phrases[e.key] = append(l.phrases[e.key], ts...)
		return err
	}
	return nil
}

func (b *banks) readNames(entries []entry) error {
	for _, e := range entries {
		switch e.key {
		case "culture":
			b.cultures = append(b.cultures, culture{})
		case "order":
			b.cultures[len(b.cultures)-1].familyFirst = e.value == "family first"
		case "given":
			b.cultures[len(b.cultures)-1].given = list(e.value, ";")
		case "family":
			b.cultures[len(b.cultures)-1].family = list(e.value, ";")
		default:
			return fmt.Errorf("unknown key %q", e.key)
		}
	}
	return nil
}

// readProviders reads "Name: subjects" lines: "*" teaches everything, and
// "lang es" teaches in that language.
func (b *banks) readProviders(entries []entry) error {
	for _, e := range entries {
		p := provider{name: e.key}
		switch lang, ok := strings.CutPrefix(e.value, "lang "); {
		case ok:
			p.language = lang
		case e.value != "*":
			p.subjects = map[string]bool{}
			for _, s := range list(e.value, ";") {
				p.subjects[s] = true
			}
		}
		b.providers = append(b.providers, p)
	}
	return nil
}
