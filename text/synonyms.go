package text

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/language"

	"github.com/lectern-dev/lectern"
)

// The bounds of synonym rules.
const (
	MaxSynonymRules        = 10_000
	MaxSynonymWords        = 20  // of one phrase
	MaxSynonymAlternatives = 50  // of one rule
	maxSynonymBytes        = 300 // of one phrase
	maxSynonymID           = 100 // bytes
	maxSynonymFaults       = 100 // that one error or list of warnings names
)

// Synonyms are rules, ready to be looked up in queries. They do not change, and
// are safe for concurrent use.
type Synonyms struct {
	version  int64
	rules    int
	tries    []*synonymTrie
	analyzer *Analyzer
	warnings []lectern.FieldError
}

// synonymTrie finds the phrases of the rules of one language: words are compared
// by the terms that they count as in it.
type synonymTrie struct {
	lang  string                // base language, "" for the rules of every language
	steps map[synonymStep]int32 // node and term → node; 0 is the root
	ends  map[int32][]meant     // what the phrase that ends at a node stands for
	nodes int32
	names map[string]*phrase // by what they read as
}

type synonymStep struct {
	node int32
	term string
}

// meant is one rule's answer to a phrase.
type meant struct {
	from string // the phrase, as the rule spells it
	to   []*phrase
	rule int
}

// phrase is one side of a rule.
type phrase struct {
	text  string // as the rule spells it
	key   string
	units []unit
	stops bool // nothing but stop words
}

// unit is a word of a phrase, with the parts of a dotted name.
type unit struct {
	Token
	parts []Token
}

// unitsOf gathers the parts of dotted names under the names.
func unitsOf(tokens []Token) []unit {
	out := make([]unit, 0, len(tokens))
	for i := 0; i < len(tokens); {
		n := dottedParts(tokens[i:])
		out = append(out, unit{Token: tokens[i], parts: tokens[i+1 : i+1+n]})
		i += 1 + n
	}
	return out
}

// dottedParts is how many tokens after the first are parts of it: node.js is
// followed by node and js.
func dottedParts(tokens []Token) int {
	name := tokens[0].Surface
	if strings.IndexByte(name, '.') < 1 {
		return 0
	}
	n := 0
	for part := range strings.SplitSeq(name, ".") {
		if part == "" {
			continue
		}
		if n++; n >= len(tokens) || tokens[n].Surface != part {
			return 0
		}
	}
	return n
}

// CompileSynonyms makes rules ready. Words are folded and stemmed as those of
// documents are, in the rule's language where it has one. Errors: CodeInvalid,
// naming every bad part of every rule, such as rules[3].to[1]; what is only
// doubtful is in Warnings.
func CompileSynonyms(r lectern.SynonymRules) (*Synonyms, error) {
	c := compiler{s: &Synonyms{version: r.Version, rules: len(r.Rules), analyzer: NewAnalyzer()}, ids: make(map[string]int)}
	if len(r.Rules) > MaxSynonymRules {
		return nil, lectern.Invalid("there are too many synonym rules",
			lectern.NewFieldError("rules", len(r.Rules), "are too many", fmt.Sprintf("at most %d", MaxSynonymRules)))
	}
	for i, rule := range r.Rules {
		c.rule(i, rule)
	}
	if len(c.faults) > 0 {
		e := lectern.Invalid("some synonym rules cannot be used", c.faults[:min(len(c.faults), maxSynonymFaults)]...)
		if n := len(c.faults) - maxSynonymFaults; n > 0 {
			e.Message += fmt.Sprintf("; %d more faults are not listed", n)
		}
		return nil, e
	}
	c.contradictions()
	c.s.warnings = c.warnings[:min(len(c.warnings), maxSynonymFaults)]
	for _, t := range c.s.tries {
		t.names = nil // served its purpose
	}
	return c.s, nil
}

// Version is that of the rules.
func (s *Synonyms) Version() int64 {
	if s == nil {
		return 0
	}
	return s.version
}

// Rules is how many rules there are.
func (s *Synonyms) Rules() int {
	if s == nil {
		return 0
	}
	return s.rules
}

// Warnings are what is doubtful about the rules: duplicates, and one-way rules
// that others contradict. The fields are named as those of errors are.
func (s *Synonyms) Warnings() []lectern.FieldError {
	if s == nil {
		return nil
	}
	return slices.Clone(s.warnings)
}

// compiler gathers rules and what is wrong with them.
type compiler struct {
	s        *Synonyms
	faults   []lectern.FieldError
	warnings []lectern.FieldError
	ids      map[string]int // of rules, to the first that has it
	edges    []synonymEdge
}

// synonymEdge says that a rule lets one phrase stand for another.
type synonymEdge struct {
	pair   synonymPair
	from   string // as the rule spells it
	rule   int
	field  string
	oneWay bool
}

type synonymPair struct{ lang, from, to string }

func (c *compiler) fault(field string, value any, reason, allowed string) {
	c.faults = append(c.faults, lectern.NewFieldError(field, value, reason, allowed))
}

func (c *compiler) warn(field string, value any, reason string) {
	c.warnings = append(c.warnings, lectern.NewFieldError(field, value, reason, ""))
}

// rule checks one rule and puts it into the trie of its language.
func (c *compiler) rule(i int, r lectern.SynonymRule) {
	at := fmt.Sprintf("rules[%d]", i)
	bad := len(c.faults)
	c.id(i, at, r.ID)
	lang := c.language(at, r.Language)
	oneWay := r.From != "" || len(r.To) > 0
	switch {
	case oneWay && len(r.Synonyms) > 0:
		c.fault(at, "", "has synonyms and from or to", "synonyms alone, or from with to")
		return
	case !oneWay && len(r.Synonyms) == 0:
		c.fault(at, "", "is empty", "synonyms, or from with to")
		return
	case oneWay:
		c.oneWay(i, at, lang, r, bad)
	default:
		c.equals(i, at, lang, r, bad)
	}
}

func (c *compiler) id(i int, at, id string) {
	if id == "" {
		return
	}
	if len(id) > maxSynonymID {
		c.fault(at+".id", id, "is too long", fmt.Sprintf("at most %d bytes", maxSynonymID))
	}
	if first, taken := c.ids[id]; taken {
		c.fault(at+".id", id, fmt.Sprintf("is that of rules[%d] too", first), "an id of its own, or none")
		return
	}
	c.ids[id] = i
}

// language checks a tag and returns its base language.
func (c *compiler) language(at, tag string) string {
	if tag == "" {
		return ""
	}
	if _, err := language.Parse(tag); err != nil {
		c.fault(at+".language", tag, "is not a language tag", "BCP 47, such as en or pt-BR")
	}
	return baseLanguage(tag)
}

func (c *compiler) oneWay(i int, at, lang string, r lectern.SynonymRule, bad int) {
	if r.From == "" {
		c.fault(at+".from", "", "is empty", "the word or phrase that is asked for")
	}
	if len(r.To) == 0 {
		c.fault(at+".to", "", "is empty", "one or more words or phrases that from means too")
	}
	t := c.trie(lang)
	var from *phrase
	if r.From != "" {
		from = c.phrase(t, at+".from", r.From)
	}
	to := c.phrases(t, at+".to", r.To)
	if len(c.faults) > bad {
		return
	}
	to = slices.DeleteFunc(to, func(p *phrase) bool {
		if p.key == from.key {
			c.warn(at+".to", p.text, "reads the same as from, and changes nothing")
		}
		return p.key == from.key
	})
	t.add(from, to, i)
	for _, p := range to {
		c.edges = append(c.edges, synonymEdge{synonymPair{lang, from.key, p.key}, from.text, i, at, true})
	}
}

func (c *compiler) equals(i int, at, lang string, r lectern.SynonymRule, bad int) {
	if len(r.Synonyms) == 1 {
		c.fault(at+".synonyms", r.Synonyms[0], "is alone", "two or more words or phrases")
	}
	t := c.trie(lang)
	all := c.phrases(t, at+".synonyms", r.Synonyms)
	if len(c.faults) > bad {
		return
	}
	for _, p := range all {
		t.add(p, all, i)
		for _, q := range all {
			if len(all) <= 2 && p != q { // larger groups would be too many pairs to compare
				c.edges = append(c.edges, synonymEdge{synonymPair{lang, p.key, q.key}, p.text, i, at, false})
			}
		}
	}
}

// phrases reads the alternatives of a rule, each once.
func (c *compiler) phrases(t *synonymTrie, field string, in []string) []*phrase {
	if len(in) > MaxSynonymAlternatives {
		c.fault(field, len(in), "are too many", fmt.Sprintf("at most %d", MaxSynonymAlternatives))
		return nil
	}
	var out []*phrase
	for j, s := range in {
		at := fmt.Sprintf("%s[%d]", field, j)
		p := c.phrase(t, at, s)
		switch {
		case p == nil:
		case slices.ContainsFunc(out, func(o *phrase) bool { return o.key == p.key }):
			c.warn(at, s, "reads the same as another of this rule, and changes nothing")
		default:
			out = append(out, p)
		}
	}
	return out
}

// phrase reads one side of a rule, nil when it cannot be used.
func (c *compiler) phrase(t *synonymTrie, field, s string) *phrase {
	switch {
	case strings.TrimSpace(s) == "":
		c.fault(field, s, "is empty", "a word or a phrase")
		return nil
	case !utf8.ValidString(s):
		c.fault(field, s, "is not valid UTF-8", "")
		return nil
	case len(s) > maxSynonymBytes:
		c.fault(field, s, "is too long", fmt.Sprintf("at most %d bytes", maxSynonymBytes))
		return nil
	}
	units := unitsOf(c.s.analyzer.Tokens(s, t.lang))
	switch {
	case len(units) == 0:
		c.fault(field, s, "holds no word", "a word or a phrase")
		return nil
	case len(units) > MaxSynonymWords:
		c.fault(field, s, fmt.Sprintf("has %d words", len(units)), fmt.Sprintf("at most %d", MaxSynonymWords))
		return nil
	}
	terms := make([]string, len(units))
	for i, u := range units {
		terms[i] = u.Term
	}
	key := strings.Join(terms, " ")
	if p, ok := t.names[key]; ok && p.text == strings.Join(strings.Fields(s), " ") {
		return p
	}
	p := &phrase{
		text: strings.Join(strings.Fields(s), " "), key: key, units: units,
		stops: !slices.ContainsFunc(units, func(u unit) bool { return !u.Stop }),
	}
	t.names[key] = p
	return p
}

// trie is that of a language, which is made when it is not there.
func (c *compiler) trie(lang string) *synonymTrie {
	for _, t := range c.s.tries {
		if t.lang == lang {
			return t
		}
	}
	t := &synonymTrie{
		lang: lang, steps: make(map[synonymStep]int32), ends: make(map[int32][]meant), names: make(map[string]*phrase),
	}
	c.s.tries = append(c.s.tries, t)
	return t
}

// add lets a phrase stand for others, itself left out.
func (t *synonymTrie) add(from *phrase, to []*phrase, rule int) {
	node := int32(0)
	for _, u := range from.units {
		next, ok := t.steps[synonymStep{node, u.Term}]
		if !ok {
			t.nodes++
			next = t.nodes
			t.steps[synonymStep{node, u.Term}] = next
		}
		node = next
	}
	t.ends[node] = append(t.ends[node], meant{from.text, to, rule})
}

// contradictions warns of what several rules say about the same two phrases.
func (c *compiler) contradictions() {
	first := make(map[synonymPair]synonymEdge, len(c.edges))
	for _, e := range c.edges {
		if f, ok := first[e.pair]; ok {
			if f.rule != e.rule {
				c.warn(e.field, e.from, fmt.Sprintf("says what rules[%d] says already", f.rule))
			}
			continue
		}
		if e.oneWay {
			back := synonymPair{e.pair.lang, e.pair.to, e.pair.from}
			if f, ok := first[back]; ok && f.oneWay && f.rule != e.rule {
				c.warn(e.field, e.from, fmt.Sprintf("is one way, but rules[%d] goes the other way: together they are equals", f.rule))
			}
		}
		first[e.pair] = e
	}
}

// At is the same rules under another version.
func (s *Synonyms) At(version int64) *Synonyms {
	out := *s
	out.version = version
	return &out
}
