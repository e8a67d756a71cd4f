package text_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/text"
)

// shelf is a catalogue with a title for each thing that people type.
func shelf() (*text.Lexicon, map[string]lectern.SparseVector) {
	l, vectors := text.NewLexicon(text.DefaultParams()), make(map[string]lectern.SparseVector)
	for id, c := range map[string]struct{ title, language string }{
		"ml": {"Machine Learning", "en"}, "zh": {"机器学习基础", "zh"}, "ja": {"データ分析入門", "ja"}, "ko": {"기계 학습", "ko"},
		"ru": {"Тестирование и тесты", "ru"}, "ar": {"مقدِّمة في البرمجة", "ar"}, "ar-data": {"تحليل البيانات", "ar"},
		"he": {"מָבוֹא לתכנות", "he"}, "th": {"การเรียนรู้ของเครื่อง", "th"}, "hi": {"मशीन लर्निंग", "hi"}, "el": {"Εισαγωγή στους Υπολογιστές", "el"},
		"c++": {"C++ for Engineers", "en"}, "c": {"C Programming", "en"}, "c#": {"C# in Depth", "en"}, "f#": {"Functional F#", "en"},
		".net": {"Web Services in .NET", "en"}, "asp": {"ASP.NET Core", "en"}, "r": {"R for Statistics", "en"}, "node": {"Node.js Servers", "en"},
		"3d": {"3D Modelling", "en"}, "objc": {"Objective-C Basics", "en"}, "goals": {"Writing Objectives", "en"}, "k8s": {"K8s Operators", "en"},
		"web3": {"Web3 and Wallets", "en"}, "5g": {"5G Networks", "en"}, "who": {"The Who: A Band", "en"}, "it": {"IT Support", "en"},
		"hamlet": {"To Be or Not to Be: Hamlet", "en"}, "how": {"How to Bake", "en"}, "sql": {"SQL Tables", "en"},
		"es": {"Programación en español", "es"}, "de": {"Datenbank Grundlagen", "de"}, "pt": {"Introdução à programação", "pt"},
	} {
		vectors[id] = l.Put(id, text.Document{Sections: []lectern.TextSection{{Field: lectern.FieldTitle, Text: c.title}}, Language: c.language})
	}
	return l, vectors
}

// best are the ids of the documents with the highest score, "" for none.
func best(l *text.Lexicon, vectors map[string]lectern.SparseVector, q string) string {
	v := l.QueryVector(q, text.QueryOptions{})
	weights := make(map[uint32]float32)
	for i, t := range v.Indices {
		weights[t] = v.Values[i]
	}
	var ids []string
	most := float32(0)
	for id, d := range vectors {
		score := float32(0)
		for i, t := range d.Indices {
			score += weights[t] * d.Values[i]
		}
		switch {
		case score == 0 || score < most-1e-5:
		case score > most+1e-5:
			ids, most = []string{id}, score
		default:
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return strings.Join(ids, " ")
}

// What people type, and what words alone make of it.
func TestTyping(t *testing.T) {
	l, vectors := shelf()
	tests := []struct{ name, query, want string }{
		{"one letter begins too much", "m", ""},
		{"2 letters", "ma", "ml"},
		{"3 letters", "mac", "ml"},
		{"4 letters", "mach", "ml"},
		{"5 letters", "machi", "ml"},
		{"6 letters", "machin", "ml"},
		{"a word", "machine", "ml"},
		{"a word and a space", "machine ", "ml"},
		{"the next word's first letter", "machine l", "ml"},
		{"and more", "machine lear", "ml"},
		{"the whole", "machine learning", "ml"},
		{"two slips", "machne lerning", "ml"},
		{"capitals", "MACHINE LEARNING", "ml"},
		{"wide letters", "ｍａｃｈｉｎｅ", "ml"},
		{"Chinese", "机器学习", "zh"},
		{"one Chinese letter", "机", "zh"},
		{"in the middle of a Chinese title", "学习基", "zh"},
		{"Japanese", "データ", "ja"},
		{"Japanese, half-width", "ﾃﾞｰﾀ", "ja"},
		{"Korean", "학습", "ko"},
		{"Russian", "тест", "ru"},
		{"Russian, inflected", "тестами", "ru"},
		{"Arabic", "برمجة", "ar"},
		{"Arabic, with the article and points", "البَرْمَجَة", "ar"},
		{"Arabic, stretched", "بـــرمـجـة", "ar"},
		{"Arabic, without the article", "بيانات", "ar-data"},
		{"Hebrew without points", "מבוא", "he"},
		{"Thai", "เรียนรู้", "th"},
		{"Hindi", "मशीन", "hi"},
		{"Greek without accents, final sigma", "υπολογιστες", "el"},
		{"c++", "c++", "c++"}, {"C++", "C++", "c++"}, {"c", "c", "c"}, {"c#", "c#", "c#"}, {"f#", "f#", "f#"},
		{".net", ".net", ".net"}, {"asp.net", "asp.net", "asp"}, {"r", "r", "r"}, {"node.js", "node.js", "node"},
		{"node js", "node js", "node"}, {"3d", "3d", "3d"}, {"objective-c", "objective-c", "objc"}, {"objective c", "objective c", "objc"},
		{"k8s", "k8s", "k8s"}, {"web3", "web3", "web3"}, {"5g", "5G", "5g"},
		{"stop words: the who", "the who", "who"}, {"stop words: it", "it", "it"},
		{"stop words: to be or not to be", "to be or not to be", "hamlet"}, {"stop words: how to", "how to", "how"},
		{"Spanish without its accent", "programacion", "c es pt"},
		{"Spanish, an inflection that no title has", "programaciones", "c es pt"},
		{"German, an inflection that no title has", "datenbanken", "de"},
		{"Portuguese, an inflection that no title has", "introducoes", ""},
		{"an emoji", "🎉", ""},
		{"emojis and a word", "🎉machine👩‍💻", "ml"},
		{"a keycap", "5️⃣g", "5g"},
		{"500 letters", strings.Repeat("x", 500), ""},
		{"500 letters after a word", "machine " + strings.Repeat("x", 500), "ml"},
		{"only spaces", " \t\u00a0\u3000 ", ""},
		{"nothing", "", ""},
		{"SQL", "'; DROP TABLE courses; --", "sql"},
		{"HTML", "<script>alert('machine')</script>", "ml"},
		{"zero-width characters", "ma\u200bchi\u200dne\ufeff", "ml"},
		{"a soft hyphen", "machine learn\u00ading", "ml"},
		{"right-to-left marks", "\u202emachine\u200f \u2067learning\u2069", "ml"},
		{"a flood of combining marks", "m" + strings.Repeat("\u0301", 5000) + "achine", ""},
		{"some combining marks", "ma\u0301chi\u0308ne\u0327", "ml"},
		{"invalid UTF-8", "machine\xff\xfe", "ml"},
		{"NUL", "machine\x00learning", "ml"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := best(l, vectors, tt.query); got != tt.want {
				t.Errorf("%.60q finds %q, want %q", tt.query, got, tt.want)
			}
			u := l.Understand(tt.query, text.QueryOptions{})
			if known := u.Known() > 0; known != (tt.want != "") {
				t.Errorf("%.60q is known to %v, and finds %q", tt.query, u.Known(), tt.want)
			}
		})
	}
}

// Stop words are words where there is nothing else.
func TestStopWordsNeverEmptyAQuery(t *testing.T) {
	l, _ := shelf()
	for _, q := range []string{"the who", "it", "to be or not to be", "how to", "a", "и", "the"} {
		if u := l.Understand(q, text.QueryOptions{}); len(u.Words) == 0 {
			t.Errorf("nothing is left of %q", q)
		}
		if len(text.Terms(q, "")) == 0 {
			t.Errorf("no term is left of %q", q)
		}
	}
	// Beside others they are grammar, and no title is found for them.
	u := l.Understand("how to weave ", text.QueryOptions{})
	if len(u.Words) != 1 || u.Known() != 0 {
		t.Errorf("%+v", u)
	}
}

// A query of which the language is stated is stemmed by it, and finds documents
// in other languages that spell the word alike.
func TestLanguageOfTheQuery(t *testing.T) {
	l, vectors := shelf()
	for _, tt := range []struct{ q, language, want string }{
		{"programaciones ", "es", "es"}, {"programaciones ", "pt", "es"}, {"introduções ", "pt", "pt"},
		{"Datenbanken ", "de", "de"}, {"datenbanken ", "en", "de"}, {"machines ", "de", "ml"}, {"learning ", "fr", "ml"},
	} {
		v := l.QueryVector(tt.q, text.QueryOptions{Language: tt.language})
		held := slices.ContainsFunc(v.Indices, func(id uint32) bool { return slices.Contains(vectors[tt.want].Indices, id) })
		if !held {
			t.Errorf("%q in %q does not find %s", tt.q, tt.language, tt.want)
		}
	}
}

func TestStemming(t *testing.T) {
	for _, tt := range []struct{ language, a, b string }{
		{"de", "Datenbanken", "Datenbank"}, {"pt", "programações", "programação"}, {"it", "programmazione", "programmazioni"},
		{"nl", "databanken", "databank"}, {"da", "sprogene", "sprog"}, {"fi", "talossa", "talo"}, {"ro", "limbile", "limbi"},
		{"tr", "verileri", "veriler"}, {"es", "idiomas", "idioma"}, {"fr", "langues", "langue"}, {"sv", "språken", "språk"},
		{"no", "språkene", "språk"}, {"hu", "nyelvek", "nyelv"}, {"ru", "языки", "языка"}, {"ar", "المبرمجين", "مبرمج"}, {"ar", "دورات", "دورة"},
		{"pt-BR", "cursos", "curso"},
	} {
		if a, b := text.Terms(tt.a, tt.language), text.Terms(tt.b, tt.language); !cmp.Equal(a, b) {
			t.Errorf("%s: %s is %v, %s is %v", tt.language, tt.a, a, tt.b, b)
		}
	}
}

// Whatever is typed, an answer comes at once.
func FuzzUnderstand(f *testing.F) {
	for _, s := range []string{
		"machine learning", "machne lerning", "机器学习", "тест", "c++ c# .net node.js r 3d", "🎉", strings.Repeat("x", 500), "   ",
		"'; DROP TABLE courses; --", "<b>x</b>", "\u200b\u202e\u200f", "a" + strings.Repeat("\u0301", 300), "\xff\xfe\x00", "to be or not to be",
		"sourdough js", "İstanbul ﬁ ǅ", "ก็ क्ष", "a.b.c...d", strings.Repeat("机", 300), "l'analyse d’équations", "5️⃣", "\u0640\u0640", "ـ",
	} {
		f.Add(s, "")
	}
	f.Add("Datenbanken", "de")
	f.Add("çalışmalarımızdan", "tr-TR")
	f.Add("x", "not a language")
	l, _ := shelf()
	rules := []lectern.SynonymRule{equals("js", "javascript"), oneWay("sourdough", "bread baking"), equals("机器", "machine", "ml c++"), in("de", oneWay("a", "b c"))}
	s, err := text.CompileSynonyms(lectern.SynonymRules{Rules: rules})
	if err != nil {
		f.Fatal(err)
	}
	l.SetSynonyms(s)
	f.Fuzz(func(t *testing.T, q, language string) {
		watch := time.AfterFunc(time.Minute, func() { panic(fmt.Sprintf("%q in %q takes for ever", q, language)) })
		defer watch.Stop()
		o := text.QueryOptions{Language: language}
		u := l.Understand(q, o)
		if k := u.Known(); !(k >= 0 && k <= 1) {
			t.Fatalf("%q is known to %v", q, k)
		}
		if len(u.Words) > 64 {
			t.Fatalf("%q has %d words", q, len(u.Words))
		}
		if utf8.ValidString(q) && !utf8.ValidString(u.Text) {
			t.Fatalf("%q reads %q", q, u.Text)
		}
		l.Held(u, []string{"ml", "zh", "nobody"})
		v := l.QueryVector(q, o)
		if !slices.IsSorted(v.Indices) {
			t.Fatalf("%q has no sparse vector: %v", q, v.Indices)
		}
		for _, w := range v.Values {
			if !(w > 0) {
				t.Fatalf("%q weighs %v", q, v.Values)
			}
		}
		for _, w := range s.Variants(q) {
			if !utf8.ValidString(w.Text) {
				t.Fatalf("%q becomes %q", q, w.Text)
			}
		}
	})
}

// Marks that cannot be seen change nothing.
func TestInvisibleMarksChangeNothing(t *testing.T) {
	mark := rapid.SampledFrom([]string{"\u00ad", "\u200b", "\u200c", "\u200d", "\u200e", "\u200f", "\u202a", "\u202e", "\u2066", "\u2069", "\ufeff", "\u061c"})
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.SampledFrom([]string{"machine", "机器学习", "программирование", "البرمجة", "node.js", "c++"}).Draw(t, "word")
		var b strings.Builder
		for _, r := range s {
			b.WriteRune(r)
			b.WriteString(mark.Draw(t, "mark"))
		}
		if diff := cmp.Diff(text.Terms(s, ""), text.Terms(b.String(), "")); diff != "" {
			t.Errorf("%q (-want +got):\n%s", b.String(), diff)
		}
	})
}
