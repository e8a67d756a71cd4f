package text_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/text"
)

func equals(words ...string) lectern.SynonymRule { return lectern.SynonymRule{Synonyms: words} }

func oneWay(from string, to ...string) lectern.SynonymRule {
	return lectern.SynonymRule{From: from, To: to}
}

func in(language string, r lectern.SynonymRule) lectern.SynonymRule {
	r.Language = language
	return r
}

func compile(t testing.TB, rules ...lectern.SynonymRule) *text.Synonyms {
	t.Helper()
	s, err := text.CompileSynonyms(lectern.SynonymRules{Version: 7, Rules: rules})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestBadSynonymsAreNamed(t *testing.T) {
	many := make([]string, text.MaxSynonymAlternatives+1)
	for i := range many {
		many[i] = fmt.Sprint("word", i)
	}
	rules := []lectern.SynonymRule{
		{},
		equals("alone"),
		equals("fine", "good"),
		equals("  ", "x", "\xff"),
		{From: "a"},
		{To: []string{"b"}},
		{From: "a", To: []string{"b"}, Synonyms: []string{"c", "d"}},
		oneWay(strings.Repeat("word ", text.MaxSynonymWords+1), "b"),
		equals(many...),
		oneWay("?!", "b", strings.Repeat("x", 400)),
		in("not a tag", equals("a", "b")),
		{ID: "same", Synonyms: []string{"a", "b"}},
		{ID: "same", Synonyms: []string{"c", "d"}},
	}
	_, err := text.CompileSynonyms(lectern.SynonymRules{Rules: rules})
	e, ok := errors.AsType[*lectern.Error](err)
	if !ok || e.Code != lectern.CodeInvalid {
		t.Fatalf("%v", err)
	}
	var fields []string
	for _, f := range e.Fields {
		fields = append(fields, f.Field+" "+f.Reason)
	}
	want := []string{
		"rules[0] is empty", "rules[1].synonyms is alone", "rules[3].synonyms[0] is empty", "rules[3].synonyms[2] is not valid UTF-8",
		"rules[4].to is empty", "rules[5].from is empty", "rules[6] has synonyms and from or to", "rules[7].from has 21 words",
		"rules[8].synonyms are too many", "rules[9].from holds no word", "rules[9].to[1] is too long",
		"rules[10].language is not a language tag", "rules[12].id is that of rules[11] too",
	}
	if d := cmp.Diff(want, fields); d != "" {
		t.Errorf("faults (-want +got):\n%s", d)
	}
	_, err = text.CompileSynonyms(lectern.SynonymRules{Rules: make([]lectern.SynonymRule, text.MaxSynonymRules+1)})
	if lectern.ErrorCode(err) != lectern.CodeInvalid || !strings.Contains(err.Error(), "too many") {
		t.Errorf("%v", err)
	}
	_, err = text.CompileSynonyms(lectern.SynonymRules{Rules: make([]lectern.SynonymRule, text.MaxSynonymRules)})
	if e, ok := errors.AsType[*lectern.Error](err); !ok || len(e.Fields) != 100 || !strings.Contains(e.Message, "9900 more") {
		t.Errorf("an error as long as the rules: %d fields", len(e.Fields))
	}
}

func TestDoubtfulSynonymsAreWarnedOf(t *testing.T) {
	tests := []struct {
		name  string
		rules []lectern.SynonymRule
		want  []string
	}{
		{"none", []lectern.SynonymRule{equals("js", "javascript"), oneWay("jscript", "javascript")}, nil},
		{"the same word twice", []lectern.SynonymRule{equals("Baking", "bake", "bread")}, []string{"rules[0].synonyms[1] reads the same as another of this rule, and changes nothing"}},
		{"to itself", []lectern.SynonymRule{oneWay("café", "cafe", "tea")}, []string{"rules[0].to reads the same as from, and changes nothing"}},
		{"the same rule twice", []lectern.SynonymRule{oneWay("a1", "b1"), oneWay("A1", "c1", "B1")}, []string{"rules[1] says what rules[0] says already"}},
		{"there and back", []lectern.SynonymRule{oneWay("a1", "b1"), oneWay("b1", "a1")}, []string{"rules[1] is one way, but rules[0] goes the other way: together they are equals"}},
		{"equals already", []lectern.SynonymRule{equals("a1", "b1"), oneWay("b1", "a1")}, []string{"rules[1] says what rules[0] says already"}},
		{"other languages are other words", []lectern.SynonymRule{in("en", oneWay("a1", "b1")), in("fr", oneWay("a1", "b1"))}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, w := range compile(t, tt.rules...).Warnings() {
				got = append(got, w.Field+" "+w.Reason)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func TestVariants(t *testing.T) {
	s := compile(t,
		equals("js", "javascript"), oneWay("sourdough", "bread baking"), equals("machine learning", "ML", "机器学习"),
		oneWay("learn to code", "programming"), in("es", oneWay("ordenadores", "informática")), oneWay("node.js", "server javascript"),
		oneWay("IT", "information technology"), oneWay("many", "m1", "m2", "m3", "m4", "m5", "m6"),
	)
	tests := []struct {
		query string
		want  []string
	}{
		{"js", []string{"javascript"}},
		{"modern JS basics", []string{"modern javascript basics"}},
		{"javascript", []string{"js"}},
		{"Sourdoughs!", []string{"bread baking!"}},
		{"bread baking", nil}, // one way
		{"sourdoug", nil},     // unfinished
		{"Machine  Learning for js", []string{"ML for js", "机器学习 for js", "Machine  Learning for javascript"}},
		{"learning machine", nil},
		{"机器学习课程", []string{"machine learning课程", "ML课程"}},
		{"how do I learn to code", []string{"how do I programming"}},
		{"ordenadores", []string{"informática"}},
		{"node.js course", []string{"server javascript course"}}, // not its js
		{"what is it like", nil},                                 // grammar
		{"IT support", []string{"information technology support"}},
		{"it", []string{"information technology"}}, // nothing else is meant
		{"many", []string{"m1", "m2", "m3", "m4"}},
		{"", nil},
		{strings.Repeat("js ", 500), nil},
		{"ﬁnance js", []string{"finance javascript"}}, // in the normal form
	}
	for _, tt := range tests {
		var got []string
		for _, v := range s.Variants(tt.query) {
			got = append(got, v.Text)
		}
		if d := cmp.Diff(tt.want, got); d != "" {
			t.Errorf("%q (-want +got):\n%s", tt.query, d)
		}
	}
	want := []text.Variant{{Text: "bread baking class", From: "sourdough", To: "bread baking"}}
	if d := cmp.Diff(want, s.Variants("sourdough class")); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	var none *text.Synonyms
	if none.Variants("js") != nil || none.Rules() != 0 || none.Version() != 0 || s.Version() != 7 || s.Rules() != 8 {
		t.Error("no rules say something")
	}
}

func kitchen() *text.Lexicon {
	l := text.NewLexicon(text.DefaultParams())
	for id, s := range map[string]string{
		"bread": "bread baking at home", "cakes": "baking cakes", "js": "javascript from scratch", "ml": "machine learning",
		"short": "ml in practice", "es": "informatica", "art": "drawing and painting", "loaf": "a loaf of bread",
	} {
		l.Put(id, text.Document{Sections: []lectern.TextSection{{Field: lectern.FieldTitle, Text: s}}, Language: "en"})
	}
	return l
}

func TestQueriesAreReadWithSynonyms(t *testing.T) {
	l := kitchen()
	l.SetSynonyms(compile(t,
		oneWay("sourdough", "bread baking"), oneWay("loaves", "bread"), equals("machine learning", "ml"),
		oneWay("sketching", "drawing", "unheard of"), in("es", oneWay("computadoras", "informatica")), oneWay("eszett", "straße"),
	))
	ids := []string{"bread", "cakes", "loaf", "js", "ml", "short", "art", "es"}
	tests := []struct {
		query, language string
		text            string
		synonyms        []string
		held            string // of Any, one digit a document
	}{
		// The alternative is held where all of it is: cakes are no sourdough.
		{"sourdough ", "", "bread baking", []string{"sourdough → bread baking"}, "10000000"},
		{"sourdough baking ", "", "bread baking baking", []string{"sourdough → bread baking"}, "32000000"},
		{"bread baking ", "", "bread baking ", nil, "32100000"}, // not back
		{"loaves ", "", "bread", []string{"loaves → bread"}, "10100000"},
		{"machine learning ", "", "machine learning ", []string{"machine learning → ml"}, "00003300"},
		{"ml practice ", "", "ml practice ", []string{"ml → machine learning"}, "00001300"},
		{"sketching ", "", "drawing", []string{"sketching → drawing"}, "00000010"},
		{"computadoras ", "es", "informatica", []string{"computadoras → informatica"}, "00000001"},
		{"computadoras ", "", "informatica", []string{"computadoras → informatica"}, "00000001"},
		{"computadoras ", "en", "", nil, "00000000"},
		{"eszett ", "", "", nil, "00000000"}, // the catalogue knows neither
	}
	for _, tt := range tests {
		u := l.Understand(tt.query, text.QueryOptions{Language: tt.language})
		var used []string
		for _, s := range u.Synonyms {
			used = append(used, s.From+" → "+s.To)
		}
		held := ""
		for _, h := range l.Held(u, ids) {
			held += fmt.Sprint(h.Any)
		}
		if u.Text != tt.text || held != tt.held || !cmp.Equal(tt.synonyms, used, cmpopts.EquateEmpty()) {
			t.Errorf("%q in %q: text %q, synonyms %v, held %s; want %q, %v, %s", tt.query, tt.language, u.Text, used, held, tt.text, tt.synonyms, tt.held)
		}
	}
}

// The weight of a synonym is that of the word itself in the catalogue, times .8,
// and a phrase has no more than .8 of what it stands for.
func TestSynonymsWeighLess(t *testing.T) {
	l := kitchen() // 8 documents
	idf := func(df float64) float32 { return float32(math.Log(1 + (8-df+.5)/(df+.5))) }
	l.SetSynonyms(compile(t, oneWay("javascript", "drawing"), oneWay("sourdough", "bread baking"), oneWay("scratch", "bread baking")))
	weights := func(q string) map[uint32]float32 {
		v := l.QueryVector(q, text.QueryOptions{})
		out := make(map[uint32]float32)
		for i, t := range v.Indices {
			out[t] = v.Values[i]
		}
		return out
	}
	near := cmpopts.EquateApprox(0, 1e-5)
	want := map[uint32]float32{text.TermID("javascript"): idf(1), text.TermID("draw"): .8 * idf(1)}
	if d := cmp.Diff(want, weights("javascript "), near); d != "" {
		t.Errorf("a word (-want +got):\n%s", d)
	}
	// sourdough is in no document, scratch in one, bread and baking in two each:
	// 2·idf(2) is less than idf(0) and more than idf(1).
	want = map[uint32]float32{text.TermID("bread"): .8 * idf(2), text.TermID("bake"): .8 * idf(2)}
	if d := cmp.Diff(want, weights("sourdough "), near); d != "" {
		t.Errorf("a phrase (-want +got):\n%s", d)
	}
	want = map[uint32]float32{
		text.TermID("scratch"): idf(1), text.TermID("bread"): .8 * idf(1) / 2, text.TermID("bake"): .8 * idf(1) / 2,
	}
	if d := cmp.Diff(want, weights("scratch "), near); d != "" {
		t.Errorf("a phrase for a common word (-want +got):\n%s", d)
	}
	if v := l.QueryVector("javascript ", text.QueryOptions{Mode: text.ModeWord}); len(v.Indices) != 1 {
		t.Error("the baseline knows synonyms")
	}
	l.SetSynonyms(nil)
	if len(weights("javascript ")) != 1 {
		t.Error("rules stay after they are gone")
	}
	l.SetSynonyms(compile(t, oneWay("drawing", "watercolour"), oneWay("pinting", "javascript")))
	u := l.Understand("painting", text.QueryOptions{})
	if len(u.Synonyms) != 0 || u.Words[0].Read != "painting" {
		t.Errorf("%+v", u)
	}
	if u := l.Understand("pinting ", text.QueryOptions{}); u.Text != "javascript" { // a rule knows better than a correction
		t.Errorf("%+v", u)
	}
}

func TestHeldSaysWhichSynonym(t *testing.T) {
	l := kitchen()
	l.SetSynonyms(compile(t, oneWay("sourdough", "cakes", "bread baking")))
	u := l.Understand("sourdough ", text.QueryOptions{})
	if len(u.Synonyms) != 2 {
		t.Fatalf("%+v", u.Synonyms)
	}
	for i, s := range u.Synonyms {
		id := map[string]string{"cakes": "cakes", "bread baking": "bread"}[s.To]
		if h := l.Held(u, []string{id})[0]; h.Synonyms != 1<<i || h.Any != 1 || h.Read != 0 {
			t.Errorf("%s holds %+v", id, h)
		}
	}
	if k := u.Known(); k != .8 {
		t.Errorf("known to %v", k)
	}
}

// Rules never make a query mean less, whatever they say.
func TestSynonymsOnlyAdd(t *testing.T) {
	word := rapid.SampledFrom([]string{"bread", "baking", "sourdough", "ml", "machine", "learning", "the", "node.js", "机器学习", "IT"})
	phrase := rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(word, 1, 3).Draw(t, "phrase"), " ")
	})
	plain := kitchen()
	rapid.Check(t, func(t *rapid.T) {
		var rules lectern.SynonymRules
		for range rapid.IntRange(0, 6).Draw(t, "rules") {
			if rapid.Bool().Draw(t, "equals") {
				rules.Rules = append(rules.Rules, equals(rapid.SliceOfN(phrase, 2, 4).Draw(t, "group")...))
			} else {
				rules.Rules = append(rules.Rules, oneWay(phrase.Draw(t, "from"), rapid.SliceOfN(phrase, 1, 3).Draw(t, "to")...))
			}
		}
		s, err := text.CompileSynonyms(rules)
		if err != nil {
			t.Fatal(err)
		}
		l := kitchen()
		l.SetSynonyms(s)
		q := phrase.Draw(t, "query") + " "
		before, after := plain.QueryVector(q, text.QueryOptions{}), l.QueryVector(q, text.QueryOptions{})
		have := make(map[uint32]float32)
		for i, term := range after.Indices {
			have[term] = after.Values[i]
		}
		a, b := plain.Understand(q, text.QueryOptions{}), l.Understand(q, text.QueryOptions{})
		for i, term := range before.Indices {
			if have[term] < before.Values[i] && len(b.Synonyms) == 0 {
				t.Fatalf("%q lost weight without a synonym", q)
			}
		}
		if b.Known() < a.Known()-1e-9 && len(a.Words) == len(b.Words) {
			t.Fatalf("%q is known to %v, with rules to %v", q, a.Known(), b.Known())
		}
		if n := len(s.Variants(q)); n > 4 {
			t.Fatalf("%d variants", n)
		}
	})
}

// manyRules are as many as there may be, on words that no query holds.
func manyRules(b *testing.B) *text.Synonyms {
	rules := make([]lectern.SynonymRule, text.MaxSynonymRules)
	for i := range rules {
		if i%2 == 0 {
			rules[i] = equals(fmt.Sprintf("machine part %d", i), fmt.Sprintf("word%d", i), fmt.Sprintf("python snake %d", i))
		} else {
			rules[i] = oneWay(fmt.Sprintf("thing%d", i), fmt.Sprintf("other%d thing", i))
		}
	}
	return compile(b, rules...)
}

func BenchmarkVariants(b *testing.B) {
	s := manyRules(b)
	for _, q := range []string{"pyth", "machine learning with python", "thing4711 for beginners"} {
		b.Run(strings.ReplaceAll(q, " ", "_"), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s.Variants(q)
			}
		})
	}
}

// BenchmarkQuerySynonyms reads a query with 10,000 rules and with none.
func BenchmarkQuerySynonyms(b *testing.B) {
	for _, rules := range []int{0, text.MaxSynonymRules} {
		l := kitchen()
		if rules > 0 {
			l.SetSynonyms(manyRules(b))
		}
		b.Run(fmt.Sprint(rules), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				l.QueryVector("machine learning with python", text.QueryOptions{})
				l.Understand("machine learning with python", text.QueryOptions{})
			}
		})
	}
}

func BenchmarkCompileSynonyms(b *testing.B) {
	for b.Loop() {
		manyRules(b)
	}
}

// What is shown of a rule is what its author wrote, neither folded nor stemmed nor
// cut into pairs of letters.
func TestSynonymsAreShownAsWritten(t *testing.T) {
	s := compile(t, equals("machine learning", "机器学习"), oneWay("Künstler", "artists"), oneWay("frobnicate", "adjust"), oneWay("Frobnicate", "adjust"))
	for query, want := range map[string]string{
		"机器学习": "机器学习 → machine learning", "kunstler": "Künstler → artists", "frobnicating": "frobnicate → adjust",
	} {
		v := s.Variants(query)
		if len(v) != 1 || v[0].From+" → "+v[0].To != want {
			t.Errorf("%q varies as %+v, want %s", query, v, want)
		}
	}
	w := s.Warnings()
	if len(w) != 1 || w[0].Value != "Frobnicate" {
		t.Errorf("warnings are %+v, want one of Frobnicate", w)
	}
}
