package retrieve_test

import (
	"context"
	"strings"
	"testing"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
	"github.com/lectern-dev/lectern/retrieve"
)

// TestRowsKeepTheLimit, those too that are drawn by lot or lose what rows above show.
func TestRowsKeepTheLimit(t *testing.T) {
	w := fullSchool(t, func(_ *world, _ *retrieve.Config, c *rerank.Config) {
		c.Lists.MaxPerProvider, c.Lists.LimitedPlaces = 1, 4
	})
	providers := []string{"A", "B", "C", "D", "E"}
	courses := school()
	for i := range courses {
		courses[i].Provider = providers[i%len(providers)]
	}
	w.put(courses...)
	page := w.page(lectern.HomeRequest{Learner: pupil(w)})
	for _, row := range page.Rows {
		if row.Row == lectern.RowContinue {
			continue
		}
		r, err := w.recorder.Ranking(context.Background(), row.List.RankingID)
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, it := range r.Items {
			for i := range courses {
				if courses[i].ID == it.CourseID {
					all = append(all, courses[i].Provider)
				}
			}
		}
		first := all[:min(4, len(all))]
		for i, p := range first {
			if strings.Count(strings.Join(first[:i], ""), p) > 0 && distinct(all) >= len(first) {
				t.Errorf("%s: %s comes twice in %v", row.Row, p, all)
			}
		}
	}
}

func distinct(names []string) int {
	seen := map[string]bool{}
	for _, n := range names {
		seen[n] = true
	}
	return len(seen)
}
