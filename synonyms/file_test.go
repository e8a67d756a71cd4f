package synonyms_test

import (
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/synonyms"
	"github.com/lectern-dev/lectern/text"
)

func TestParse(t *testing.T) {
	tests := []struct {
		name, in string
		want     []lectern.SynonymRule
		base     *int64
	}{
		{"empty", "", nil, nil},
		{"lines", "# words\nml, machine learning\r\n\n  js,ecmascript => javascript , node.js # basics\n", []lectern.SynonymRule{
			{Synonyms: []string{"ml", "machine learning"}},
			{From: "js", To: []string{"javascript", "node.js # basics"}},
			{From: "ecmascript", To: []string{"javascript", "node.js # basics"}},
		}, nil},
		{"escapes", `a\,b, c\=\>d, e\\f`, []lectern.SynonymRule{{Synonyms: []string{"a,b", "c=>d", `e\f`}}}, nil},
		{"signs are no comment", "c#, csharp", []lectern.SynonymRule{{Synonyms: []string{"c#", "csharp"}}}, nil},
		{"JSON", "\ufeff\n" + `{"version": 3, "rules": [{"id":"x","from":"a","to":["b"],"language":"en"}]}`,
			[]lectern.SynonymRule{{ID: "x", From: "a", To: []string{"b"}, Language: "en"}}, new(int64(3))},
		{"JSON as it is answered", `{"version":0,"rules":[],"warnings":[{"field":"x","reason":"y"}]}`, nil, new(int64)},
		{"JSON without a version", `{"rules": [{"synonyms":["a","b"]}]}`, []lectern.SynonymRule{{Synonyms: []string{"a", "b"}}}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, err := synonyms.Parse([]byte(tt.in))
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, f.Rules, cmpopts.EquateEmpty()); d != "" {
				t.Errorf("rules (-want +got):\n%s", d)
			}
			if d := cmp.Diff(tt.base, f.Base); d != "" {
				t.Errorf("base (-want +got):\n%s", d)
			}
		})
	}
	for _, bad := range []string{"{", `{"rules": [], "more": 1}`, `{"rules": {}}`, `{"rules":[]} {}`, "[1]", "a => b => c"} {
		if _, err := synonyms.Parse([]byte(bad)); lectern.ErrorCode(err) != lectern.CodeInvalid {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func TestFaultsNameLines(t *testing.T) {
	f, err := synonyms.Parse([]byte("a, b\n\nx, y => ,z\nalone\n"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = text.CompileSynonyms(lectern.SynonymRules{Rules: f.Rules})
	const want = "invalid_argument: some synonym rules cannot be used; line 3 to[0]: is empty; line 3 to[0]: is empty; line 4 synonyms: is alone"
	if got := f.Located(err).Error(); got != want {
		t.Errorf("%s", got)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"a,b", "a=>b,c", `{"rules":[{"synonyms":["a","b"]}]}`, `\`, "=>", ",", "#", "\xff,a", "[", "a\\,b=>c\\"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := synonyms.Parse(data)
		if err != nil {
			if lectern.ErrorCode(err) != lectern.CodeInvalid {
				t.Fatal(err)
			}
			return
		}
		s, err := text.CompileSynonyms(lectern.SynonymRules{Rules: file.Rules})
		if err != nil {
			_ = file.Located(err).Error()
			return
		}
		for _, r := range file.Rules {
			for _, q := range append(r.Synonyms, r.From) {
				for _, v := range s.Variants(q) {
					if !utf8.ValidString(v.Text) {
						t.Fatalf("%q becomes %q", q, v.Text)
					}
				}
			}
		}
	})
}
