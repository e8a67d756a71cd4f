package text

import "testing"

func TestFold(t *testing.T) {
	for in, want := range map[string]string{
		"":                 "",
		"Machine Learning": "machine learning",
		"Café  CRÈME":      "cafe  creme",
		"C++ и Ёлка":       "c++ и елка",
		"Straße":           "strasse",
		"ＰＹＴＨＯＮ　３":         "python 3",
		"机器学习":             "机器学习",
		"تَعَلُّم":         "تعلم",
		"a\xffb":           "a b",
	} {
		if got := Fold(in); got != want {
			t.Errorf("Fold(%q) = %q, want %q", in, got, want)
		}
		if again := Fold(Fold(in)); again != Fold(in) {
			t.Errorf("Fold(%q) is not stable: %q", in, again)
		}
	}
}
