package sqlite

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzDecodeList holds the short cut for plain lists to encoding/json: whatever
// it takes, it reads alike.
func FuzzDecodeList(f *testing.F) {
	for _, s := range []string{
		`[]`, `[""]`, `["a"]`, `["a","b c","é"]`, `["a\"b"]`, `["a" , "b"]`, `["a","]`, `["","",""]`, `["a""b"]`,
		`["a",1]`, `[1]`, `["\u003c"]`, "[\"\xff\"]", "[\"\n\"]", `["a"],["b"]`, `["]`, `null`, ``, `["\\"]`, `["a","b"`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var want []string
		wantErr := json.Unmarshal([]byte(s), &want)
		got, err := decodeList(s)
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("decodeList(%q): %v, want %v", s, err, wantErr)
		}
		if s == "[]" {
			want = nil
		}
		if diff := cmp.Diff(want, got); err == nil && diff != "" {
			t.Fatalf("decodeList(%q) (-want +got):\n%s", s, diff)
		}
	})
}

func BenchmarkDecodeList(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := decodeList(`["Independence movements","Slavery and abolition","Social movements"]`); err != nil {
			b.Fatal(err)
		}
	}
}
