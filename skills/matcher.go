package skills

import (
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// Matcher finds the skills of a graph in texts and queries. It is safe for
// concurrent use and keeps no state but a memory of words.
type Matcher struct {
	graph  *Graph
	reader reader

	names   trie // names and aliases, over all words but fillers
	edged   trie // those that start or end with a filler, over all words
	phrases trie // everyday phrases, over all words but stop words
	telling trie // those of the phrases that may stand in a course text
	bags    bags // names and phrases as sets of words
	speller speller
	byKey   []completion
	near    [][]int32 // by skill: those that support it, sorted; see nearSkills
	parents [][]int32 // by skill: what is directly broader, without subjects

	// For people who look something up; made when somebody does.
	skillNames, occupationNames func() []listed
}

// NewMatcher prepares a graph to be found in texts.
func NewMatcher(g *Graph) *Matcher {
	m := &Matcher{
		graph: g, reader: reader{text: g.text, ids: make(map[string]int32), learnt: make(map[string]spelling)},
		names: newTrie(), edged: newTrie(), phrases: newTrie(), telling: newTrie(),
	}
	uses := m.uses()
	for i, s := range g.skills {
		m.add(int32(i), false, namesOf(s.Name, s.Aliases, s.Phrases), s.Weak, uses)
	}
	for i, o := range g.occupations {
		m.add(int32(i), true, namesOf(o.Name, o.Aliases, o.Phrases), o.Weak, uses)
	}
	m.bags.settle(len(m.reader.ids))
	m.reader.learn(intents)
	m.speller = newSpeller(m.reader.learnt)
	m.byKey = m.completions()
	m.skillNames = sync.OnceValue(func() []listed {
		return m.listing(len(g.skills), func(i int) []named {
			return namesOf(g.skills[i].Name, g.skills[i].Aliases, g.skills[i].Phrases)
		})
	})
	m.occupationNames = sync.OnceValue(func() []listed {
		return m.listing(len(g.occupations), func(i int) []named {
			return namesOf(g.occupations[i].Name, g.occupations[i].Aliases, g.occupations[i].Phrases)
		})
	})
	m.near, m.parents = nearSkills(g)
	return m
}

// Graph returns the graph that is matched.
func (m *Matcher) Graph() *Graph { return m.graph }

// uses counts in how many skills' names and aliases each word occurs.
func (m *Matcher) uses() map[string]int {
	out := make(map[string]int)
	for _, s := range m.graph.skills {
		own := make(map[string]bool)
		for _, n := range namesOf(s.Name, s.Aliases, nil) {
			for _, w := range m.reader.learn(n.text) {
				own[canonical(w.surface)] = true
			}
		}
		for w := range own {
			out[w]++
		}
	}
	return out
}

// add enters the names of a skill or an occupation.
func (m *Matcher) add(owner int32, occupation bool, names []named, weak []string, uses map[string]int) {
	weakKeys := keysOf(m.reader.text, weak)
	seen := make(map[string]bool)
	for _, n := range names {
		key := keyOf(m.reader.text, n.text)
		if seen[key] {
			continue
		}
		seen[key] = true
		x := target{owner: owner, occupation: occupation, form: n.form, weak: weakKeys[key], text: n.text}
		if n.form == formPhrase {
			m.addPhrase(x, uses)
			continue
		}
		m.addName(x, uses)
	}
}

// addName enters a name or an alias.
func (m *Matcher) addName(x target, uses map[string]int) {
	words := m.reader.learn(x.text)
	if first, last := words[0], words[len(words)-1]; len(words) > 1 && (first.filler() && first.surface != "the" || last.filler()) {
		put(&m.edged, words, x, uses) // in design is not design
		return
	}
	words = withoutFillers(nil, words)
	if len(words) == 1 {
		x.spelt = speltOf(x.text, x.weak)
	}
	put(&m.names, words, x, uses)
	m.bags.add(x, withoutStops(nil, words))
	if turned := turn(words); turned != nil {
		x.turned = true
		put(&m.phrases, turned, x, uses)
		if !x.occupation && !x.weak {
			put(&m.telling, turned, x, uses)
		}
	}
}

// turn makes what is done of what it is called: train dogs of dog training. It is
// nil for names that are not of that sort.
func turn(words []word) []word {
	last := words[len(words)-1]
	if len(words) < 2 || len(words) > 3 || !isDoing(last.surface) {
		return nil
	}
	return append([]word{last}, words[:len(words)-1]...)
}

// isDoing reports whether a folded noun is what a verb of the same stem does, so
// that its object may come after it.
func isDoing(w string) bool {
	switch w {
	case "management", "development", "repair", "design", "care", "training":
		return true
	}
	return strings.HasSuffix(w, "ing") && !isIntent(w)
}

// put enters a target under words.
func put(t *trie, words []word, x target, uses map[string]int) {
	ids := make([]int32, len(words))
	x.words = make([]string, len(words))
	for i, w := range words {
		ids[i], x.words[i] = w.id, canonical(w.surface)
	}
	x.specific = specificity(x.words, uses)
	t.add(ids, x)
}

// addPhrase enters a phrase, whole and without the words that only say that
// something is wanted.
func (m *Matcher) addPhrase(x target, uses map[string]int) {
	words := withoutStops(nil, m.reader.learn(x.text))
	short := words
	for len(short) > 0 && isWish(short[0].surface) {
		short = short[1:]
	}
	if !slices.ContainsFunc(short, func(w word) bool { return !isIntent(w.surface) }) {
		if len(words) > 1 {
			put(&m.phrases, words, x, uses) // for who asks for nothing else: "get a job", "teach a class"
		}
		return
	}
	m.bags.add(x, short)
	if len(words) > 1 {
		put(&m.phrases, words, x, uses)
		if !x.occupation && !x.weak && len(short) > 1 && (len(words) > 2 || len(short) == len(words)) {
			put(&m.telling, words, x, uses)
		}
	}
	if len(short) < len(words) || len(words) == 1 {
		x.shortened = true
		put(&m.phrases, short, x, uses)
	}
}

// isWish reports whether a folded word at the start of a phrase only says that
// what follows is wanted.
func isWish(w string) bool {
	switch w {
	case "learn", "learning", "want", "wanna", "become", "becoming", "study", "studying", "understand", "understanding",
		"know", "get", "getting", "started", "improve", "improving", "better", "good", "master", "teach", "try", "need", "like", "help":
		return true
	}
	return false
}

// intents are the longer of the words below, so that they are known when misspelt.
const intents = "course courses tutorial beginner beginners introduction learning understanding getting started become " +
	"experience explained fundamentals essentials certificate interested professional training workshop"

// isIntent reports whether a folded word says that somebody wants to learn
// something rather than what.
func isIntent(w string) bool {
	switch w {
	case "course", "courses", "class", "classes", "lesson", "lessons", "tutorial", "tutorials", "start", "starting",
		"begin", "beginner", "beginners", "basic", "basics", "introduction", "intro", "best", "online", "free", "please",
		"make", "go", "someone", "something", "really", "simple", "easy", "easily", "quickly", "fast", "scratch", "zero",
		"work", "working", "job", "jobs", "career":
		return true
	}
	return isWish(w) || isOffer(w) || isAsking(w)
}

// isOffer reports whether a folded word says in what form something is taught, how
// thoroughly, or to whom.
func isOffer(w string) bool {
	switch w {
	case "training", "workshop", "workshops", "bootcamp", "masterclass", "webinar", "lecture", "lectures", "module", "guide", "overview",
		"fundamental", "fundamentals", "essentials", "foundations", "introductory", "crash", "101", "primer",
		"certificate", "certificates", "certified", "diploma", "degree", "level", "intermediate", "advanced", "complete",
		"newbie", "newbies", "dummies", "beginner's", "absolute", "hard", "difficult", "anyone", "somebody", "everyone", "everybody", "experience", "skills",
		"expert", "pro", "professional", "professionally":
		return true
	}
	return false
}

// isAsking reports whether a folded word belongs to how people put a question
// rather than to what they ask about.
func isAsking(w string) bool {
	switch w {
	case "explain", "explained", "explaining", "show", "tell", "find", "finding", "looking", "search", "searching", "recommend", "suggest",
		"interested", "curious", "wondering", "wanted", "wish", "hope", "trying", "use", "using", "works", "happen", "happens", "nothing", "explore", "exploring", "discover",
		"without", "never", "ever", "always", "maybe", "possible", "way", "ways", "thing", "things", "stuff", "everything", "anything",
		"myself", "yourself", "new", "quick", "great", "top", "right", "properly", "correctly", "actually", "exactly", "step", "steps",
		"i'd", "i'm", "i've", "i'll", "what's", "how's", "don't", "can't", "let's", "there's", "im", "ive", "dont", "cant", "whats", "hows", "thanks":
		return true
	}
	return false
}

// speltOf decides which capitals a name of one word must have in a text. Two
// letters are nearly always a word or a syllable of some language, and so are
// three where the name is marked weak.
func speltOf(name string, weak bool) spelt {
	letters := utf8.RuneCountInString(name)
	if strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) || r >= utf8.RuneSelf }) {
		return speltAnyhow // c++, 3d
	}
	switch {
	case weak && letters > 1 && letters < 6 && strings.ToUpper(name) == name:
		return speltUpper
	case letters < 3 || weak && letters == 3:
		return speltCapital
	}
	return speltAnyhow
}

// nearSkills returns, for each skill, those whose mention in the same text makes
// it more likely: up to two levels of what is broader, what is directly narrower,
// and what is related or required in either direction. Besides, it returns what
// is directly broader, without subjects: skills that share it support each other.
func nearSkills(g *Graph) (near, parents [][]int32) {
	near, parents = make([][]int32, len(g.skills)), make([][]int32, len(g.skills))
	link := func(a, b int32) {
		near[a] = append(near[a], b)
		near[b] = append(near[b], a)
	}
	for i, s := range g.skills {
		self := int32(i)
		for _, id := range slices.Concat(s.Related, s.Requires) {
			link(self, g.skillAt[id])
		}
		for _, id := range s.Broader {
			b := g.skillAt[id]
			link(self, b)
			if len(g.skills[b].Broader) > 0 {
				parents[self] = append(parents[self], b)
			}
			for _, up := range g.skills[b].Broader {
				near[self] = append(near[self], g.skillAt[up])
			}
		}
	}
	for i := range near {
		slices.Sort(near[i])
		near[i] = slices.Compact(near[i])
	}
	return near, parents
}

// links reports whether one of two skills is linked to the other; see nearSkills.
func (m *Matcher) links(by, skill int32) bool {
	_, ok := slices.BinarySearch(m.near[skill], by)
	return ok
}

// supports reports whether a mention of one skill makes another more likely.
func (m *Matcher) supports(by, skill int32) bool {
	if by == skill {
		return false
	}
	return m.links(by, skill) || slices.ContainsFunc(m.parents[skill], func(p int32) bool { return slices.Contains(m.parents[by], p) })
}
