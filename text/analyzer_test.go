package text_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lectern-dev/lectern/text"
)

func TestTerms(t *testing.T) {
	tests := []struct {
		name, in, lang string
		want           []string
	}{
		{"stems English", "Programming programs, programmed!", "", []string{"program", "program", "program"}},
		{"stop words go", "Introduction to the Analysis of Data", "en", []string{"introduct", "analysi", "data"}},
		{"stop words never empty a text", "what is it", "", []string{"what", "is", "it"}},
		{"acronyms are no stop words", "IT support", "", []string{"it", "support"}},
		{"signs belong to names", "C++, C#, F# and .NET", "", []string{"c++", "c#", "f#", ".net"}},
		{"a sentence may end before net", "Fish. net", "", []string{"fish", "net"}},
		{"dotted names and their parts", "Node.js", "", []string{"node.js", "node", "js"}},
		{"a forgotten space is no dotted name", "risk.You mitigate", "", []string{"risk", "mitig"}},
		{"abbreviations stay whole", "the U.S. law", "", []string{"u.s", "law"}},
		{"single letters and digits", "R in 3D, version 2.5", "", []string{"r", "3d", "version", "2.5"}},
		{"hashes that are not names", "C #1 a#b", "", []string{"c", "1", "b"}},
		{"underscores part words", "snake_case", "", []string{"snake", "case"}},
		{"accents and ligatures fold", "Café Straße ﬁnance Łódź", "de", []string{"cafe", "strass", "financ", "lodz"}},
		{"possessive", "learner’s", "", []string{"learner"}},
		{"Spanish", "programación de computadoras", "es", []string{"program", "comput"}},
		{"French elision", "L'analyse d’équations", "fr", []string{"analys", "équat"}},
		{"Russian whatever the language", "Основы программирования", "", []string{"основ", "программирован"}},
		{"й is not и", "йод", "", []string{"йод"}},
		{"Chinese in pairs", "机器学习", "zh", []string{"机器", "器学", "学习"}},
		{"one Chinese letter", "数 x", "zh", []string{"数", "x"}},
		{"Japanese mixes scripts", "データ分析", "ja", []string{"デー", "ータ", "タ分", "分析"}},
		{"Korean", "기계 학습", "ko", []string{"기계", "학습"}},
		{"mixed scripts", "学习Python编程", "zh", []string{"学习", "python", "编程"}},
		{"Arabic article, points and variants", "مَدرسة البرمجة", "ar", []string{"مدرس", "برمج"}},
		{"nothing", " \t—…!", "", []string{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := tt.want
			for i := range want { // expectations may be written with accents
				want[i] = strings.ReplaceAll(want[i], "é", "e")
			}
			if diff := cmp.Diff(want, text.Terms(tt.in, tt.lang)); diff != "" {
				t.Errorf("Terms(%q, %q) (-want +got):\n%s", tt.in, tt.lang, diff)
			}
		})
	}
}

func TestTokensKeepSurfaces(t *testing.T) {
	got := text.NewAnalyzer().Tokens("The Machines", "en")
	want := []text.Token{{Surface: "the", Term: "the", Stop: true}, {Surface: "machines", Term: "machin"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("tokens (-want +got):\n%s", diff)
	}
}

func TestTermsIgnoreCaseAndForm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringMatching(`[a-zéüñ ]{0,30}`).Draw(t, "s")
		if diff := cmp.Diff(text.Terms(s, ""), text.Terms(strings.ToUpper(s), "")); diff != "" {
			// Two-letter words in capitals count as acronyms.
			for w := range strings.FieldsSeq(s) {
				if utf8.RuneCountInString(w) == 2 {
					return
				}
			}
			t.Fatalf("case matters in %q:\n%s", s, diff)
		}
	})
}

func FuzzTerms(f *testing.F) {
	for _, s := range []string{"", "c++ c# .net node.js", "机器学习", "l'analyse", "a.b.C", "\xff\xfe", "İstanbul", "__", "'", ".net.net", "مدرسة", "ー", "ก็"} {
		f.Add(s, "en")
	}
	f.Add("équation", "fr")
	f.Add("йод", "ru")
	a := text.NewAnalyzer()
	f.Fuzz(func(t *testing.T, s, lang string) {
		first := a.Tokens(s, lang)
		for _, tok := range first {
			if tok.Term == "" || tok.Surface == "" {
				t.Fatalf("empty token in %q: %+v", s, first)
			}
			if !utf8.ValidString(tok.Term) || strings.ContainsAny(tok.Term, " \t\n") {
				t.Fatalf("bad term %q of %q", tok.Term, s)
			}
		}
		if diff := cmp.Diff(first, text.NewAnalyzer().Tokens(s, lang)); diff != "" {
			t.Fatalf("memory changes the tokens of %q:\n%s", s, diff)
		}
		if len(first) > 0 && len(a.Terms(s, lang)) == 0 {
			t.Fatalf("stop words emptied %q", s)
		}
	})
}

func BenchmarkTerms(b *testing.B) {
	a := text.NewAnalyzer()
	s := strings.Repeat("Learn the foundations of machine learning with Python and TensorFlow: regression, classification. ", 10)
	b.SetBytes(int64(len(s)))
	b.ReportAllocs()
	for b.Loop() {
		a.Terms(s, "en")
	}
}
