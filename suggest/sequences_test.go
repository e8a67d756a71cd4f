package suggest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lectern-dev/lectern"
)

// Completions are whole words and phrases: no part of a run of letters that are
// written without spaces, and nothing that nearly always stands in one longer phrase.
func TestCompletionsAreWhole(t *testing.T) {
	const end = " for Everybody who Works in a Large City Far Away"
	s := suggesterOf(t, []lectern.Course{
		course("1", "机器学习入门与实践：从零开始学习的基础课程以及更多的内容与大量实例和练习题", "", "", "", 0),
		course("2", "机器学习，Python编程从零开始学习的基础课程以及更多的内容与大量实例和练习题哦", "", "", "", 0),
		course("3", "机器学习 Python编程", "", "", "", 0), course("4", "深度 机器学习：Python编程与应用", "", "", "", 0),
		course("5", "データ分析入門", "", "", "", 0), course("6", "データ分析入門の本", "", "", "", 0), course("7", "データ分析", "", "", "", 0),
		course("8", "First Aid and Emergency Care One"+end, "", "", "", 0), course("9", "First Aid and Emergency Plans"+end, "", "", "", 0),
		course("10", "First Aid and Emergency Rooms"+end, "", "", "", 0), course("11", "First Aid Basics"+end, "", "", "", 0),
		course("12", "Learn Knitting"+end, "", "", "", 0), course("13", "Learn Knitting Now"+end, "", "", "", 0), course("14", "Learn Knitting Soon"+end, "", "", "", 0),
	})
	for query, want := range map[string]string{
		"机":   "机器学习, 机器学习 Python编程, 深度 机器学习：Python编程与应用",
		"pyt": "Python, 机器学习 Python编程, 深度 机器学习：Python编程与应用", "デ": "データ, データ分析, データ分析入門, データ分析入門の本",
		"aid": "First Aid and Emergency, First Aid", "emer": "Emergency, First Aid and Emergency", "fir": "First Aid and Emergency, First Aid",
		"knit": "Knitting, Learn Knitting",
	} {
		got := strings.Split(texts(ask(t, s, query).Completions), ", ")
		if d := cmp.Diff(asSet(strings.Split(want, ", ")), asSet(got)); d != "" {
			t.Errorf("%q: %s", query, d)
		}
	}
}

func asSet(in []string) map[string]bool {
	out := make(map[string]bool, len(in))
	for _, s := range in {
		out[s] = true
	}
	return out
}
