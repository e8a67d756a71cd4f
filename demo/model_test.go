package demo

import (
	"bufio"
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	lectern "github.com/lectern-dev/lectern"
)

// Words of praise and blame; a review's score is praise minus blame.
const (
	praise = " good great excellent love loved loving best brilliant brilliantly wonderful superb fantastic amazing perfect clear clearly engaging useful worth recommended recommend enjoyed helpful kind fun funny glad solid gifted outstanding favourite enthusiasm proud impressed friendly superbly strong liked nearly perfectly rich relevant quick easy well "
	blame  = " bad terrible awful worst waste boring dull poor poorly poor. disappointing disappointed disappointment confusing useless broken avoid dreadful weak shallow outdated badly lost overpriced worthless unfair mumbles frustrating monotonous thin disorganised errors mistakes brutal drags regret disgust refund sadly unfortunately never struggled nothing nobody ignore desert quit rushed lottery busywork below money "
)

func score(text string) int {
	s := 0
	for _, w := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return (r < 'a' || r > 'z') && r != '\'' }) {
		switch w = " " + w + " "; {
		case strings.Contains(praise, w):
			s++
		case strings.Contains(blame, w):
			s--
		}
	}
	return s
}

func TestReviewWordsFitStars(t *testing.T) {
	sum, n, wrong := [6]float64{}, [6]float64{}, [6]float64{}
	for _, r := range defaultPlatform().Reviews {
		if r.Language != "en" {
			continue
		}
		k, s := int(*r.Stars), score(r.Text)
		sum[k] += float64(s)
		n[k]++
		if k >= 4 && s < 0 || k <= 2 && s > 0 {
			wrong[k]++
		}
	}
	for k := 1; k <= 5; k++ {
		t.Logf("%d stars: %.0f reviews, mean score %.2f, %.1f %% on the wrong side", k, n[k], sum[k]/n[k], 100*wrong[k]/n[k])
		if n[k] < 100 {
			t.Errorf("only %.0f reviews with %d stars", n[k], k)
		}
		if wrong[k] > 0.06*n[k] {
			t.Errorf("%.1f %% of the %d-star reviews read the wrong way", 100*wrong[k]/n[k], k)
		}
		if k > 1 && sum[k]/n[k] <= sum[k-1]/n[k-1] && k < 5 {
			t.Errorf("%d stars do not read better than %d", k, k-1)
		}
	}
}

func TestReviewsVary(t *testing.T) {
	texts, words := map[string]int{}, map[int]int{}
	for _, r := range defaultPlatform().Reviews {
		texts[r.Text]++
		words[len(strings.Fields(r.Text))/10]++
	}
	if len(texts) < 6000 {
		t.Errorf("%d different texts in 8,000 reviews", len(texts))
	}
	if len(words) < 6 {
		t.Errorf("lengths hardly differ: %v", words)
	}
}

// A review by a member repeats the stars of the member's own rating.
func TestMembersReviewWhatTheyRated(t *testing.T) {
	p := defaultPlatform()
	rated := map[[2]string]float64{}
	for _, e := range p.Events {
		if e.Type == lectern.EventRate {
			rated[[2]string{e.LearnerID, e.CourseID}] = *e.Value
		}
	}
	members := 0
	for _, r := range p.Reviews {
		if r.LearnerID == "" {
			continue
		}
		members++
		if got, ok := rated[[2]string{r.LearnerID, r.CourseID}]; !ok || got != *r.Stars {
			t.Errorf("%s: %v stars, rated %v (%v)", r.ID, *r.Stars, got, ok)
		}
	}
	if members < 500 {
		t.Errorf("%d reviews by members", members)
	}
}

func TestLatentInterestsDriveEnrolments(t *testing.T) {
	p := defaultPlatform()
	topic := map[string]string{}
	for _, c := range p.Truth.Courses {
		topic[c.ID] = c.Topic
	}
	wants := map[string]map[string]bool{}
	own := 0
	for _, l := range p.Truth.Learners {
		wants[l.ID] = map[string]bool{}
		for _, in := range l.Interests {
			wants[l.ID][in.Topic] = true
			own++
		}
	}
	inside, all := 0, 0
	for _, e := range p.Events {
		if e.Type == lectern.EventEnrol {
			all++
			if wants[e.LearnerID][topic[e.CourseID]] {
				inside++
			}
		}
	}
	share := float64(inside) / float64(all)
	chance := float64(own) / float64(len(p.Truth.Learners)) / float64(len(p.Truth.Topics))
	t.Logf("%.0f %% of enrolments are in the learner's own topics; by chance %.1f %%", 100*share, 100*chance)
	if share < 0.6 || share < 20*chance {
		t.Errorf("share %.2f, chance %.3f", share, chance)
	}
}

func TestTrendsShow(t *testing.T) {
	p := defaultPlatform()
	trend := map[string]float64{}
	for _, tp := range p.Truth.Topics {
		trend[tp.Name] = tp.Trend
	}
	topic := map[string]string{}
	for _, c := range p.Truth.Courses {
		topic[c.ID] = c.Topic
	}
	middle := testNow().AddDate(0, 0, -historyDays/3)
	var rising, falling, total [2]float64
	for _, e := range p.Events {
		if e.CourseID == "" {
			continue
		}
		half := 0
		if e.OccurredAt.After(middle) {
			half = 1
		}
		total[half]++
		switch x := trend[topic[e.CourseID]]; {
		case x >= 0.3:
			rising[half]++
		case x <= -0.2:
			falling[half]++
		}
	}
	share := func(x [2]float64) [2]float64 { return [2]float64{x[0] / total[0], x[1] / total[1]} }
	up, down := share(rising), share(falling)
	t.Logf("rising topics %.3f, falling topics %.3f of the events, early and late", up, down)
	if up[1] < 1.15*up[0] {
		t.Errorf("rising topics go from %.3f to %.3f", up[0], up[1])
	}
	if down[1] > 0.87*down[0] {
		t.Errorf("falling topics go from %.3f to %.3f", down[0], down[1])
	}
}

func TestHistoryReachesNow(t *testing.T) {
	p := defaultPlatform()
	fresh, types, visitors, merged := 0, map[lectern.EventType]int{}, map[string]bool{}, map[string]string{}
	for _, e := range p.Events {
		if testNow().Sub(e.OccurredAt) < time.Hour {
			fresh++
		}
		types[e.Type]++
		if e.LearnerID == "" {
			visitors[e.AnonymousID] = true
		}
		if e.LearnerID != "" && e.AnonymousID != "" {
			if other, ok := merged[e.AnonymousID]; ok && other != e.LearnerID {
				t.Errorf("%s signs in as %s and %s", e.AnonymousID, other, e.LearnerID)
			}
			merged[e.AnonymousID] = e.LearnerID
		}
	}
	if fresh < 20 {
		t.Errorf("%d events in the last hour", fresh)
	}
	for _, kind := range lectern.EventTypes() {
		if types[kind] < 100 {
			t.Errorf("%d events of type %s", types[kind], kind)
		}
	}
	never := 0
	for v := range visitors {
		if merged[v] == "" {
			never++
		}
	}
	if len(merged) < 100 || never < 100 {
		t.Errorf("%d visitors sign in, %d never do", len(merged), never)
	}
	t.Log(types)
}

// Completing follows level fit and quality.
func TestLearnersFinishWhatSuitsThem(t *testing.T) {
	p := defaultPlatform()
	quality := map[string]float64{}
	for _, c := range p.Truth.Courses {
		quality[c.ID] = c.Quality
	}
	var done, dropped, nDone, nDropped float64
	type pair struct{ learner, course string }
	enrolled := map[pair]bool{}
	for _, e := range p.Events {
		k := pair{e.LearnerID, e.CourseID}
		switch e.Type {
		case lectern.EventEnrol:
			if enrolled[k] {
				t.Errorf("%s enrols in %s twice", k.learner, k.course)
			}
			enrolled[k] = true
		case lectern.EventProgress, lectern.EventComplete, lectern.EventDrop, lectern.EventRate:
			if !enrolled[k] {
				t.Errorf("%s: %s without having enrolled", e.ID, e.Type)
			}
		}
		switch e.Type {
		case lectern.EventComplete:
			done, nDone = done+quality[e.CourseID], nDone+1
		case lectern.EventDrop:
			dropped, nDropped = dropped+quality[e.CourseID], nDropped+1
		}
	}
	if done/nDone < dropped/nDropped+0.2 {
		t.Errorf("mean quality %.2f of completed, %.2f of dropped courses", done/nDone, dropped/nDropped)
	}
}

func TestRelevance(t *testing.T) {
	l := LearnerTruth{Interests: []InterestTruth{{Topic: "piano", Weight: 0.8, Level: 0.5}}}
	for _, tc := range []struct {
		name   string
		course CourseTruth
		want   float64
	}{
		{"another topic", CourseTruth{Topic: "guitar"}, 0},
		// 0.8 × e^-(0.5²) × 1/(1+e^0) = 0.8 × 0.7788 × 0.5
		{"half a level below", CourseTruth{Topic: "piano"}, 0.31152},
		// 0.8 × e^-(1.5²) × 0.5
		{"too hard", CourseTruth{Topic: "piano", Level: advanced}, 0.04216},
		// 0.8 × 1 × 1/(1+e^-2)
		{"mixed and good", CourseTruth{Topic: "piano", Level: mixed, Quality: 2}, 0.70464},
	} {
		if got := Relevance(l, tc.course); math.Abs(got-tc.want) > 1e-4 {
			t.Errorf("%s: %.5f, want %.5f", tc.name, got, tc.want)
		}
	}
}

func TestWrite(t *testing.T) {
	o := Options{Seed: 3, Courses: 40, Learners: 20, Reviews: 30, Events: 200, Now: testNow()}
	p := Generate(o)
	dir := filepath.Join(t.TempDir(), "platform")
	for range 2 { // the second time replaces
		if err := Write(dir, p); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(p.Courses, readLines[lectern.Course](t, dir, CoursesFile)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(p.Reviews, readLines[lectern.Review](t, dir, ReviewsFile)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(p.Learners, readLines[lectern.Learner](t, dir, LearnersFile)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(p.Events, readLines[lectern.Event](t, dir, EventsFile)); diff != "" {
		t.Error(diff)
	}
	kinds := map[string]int{}
	type line struct{ Kind, ID string }
	for _, l := range readLines[line](t, dir, TruthFile) {
		kinds[l.Kind]++
	}
	want := map[string]int{"topic": len(p.Truth.Topics), "course": 40, "learner": 20}
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Error(diff)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 5 {
		t.Errorf("%d files, %v", len(files), err)
	}
}

func readLines[T any](t *testing.T, dir, name string) []T {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	var out []T
	s := bufio.NewScanner(bytes.NewReader(raw))
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		var v T
		if err := json.Unmarshal(s.Bytes(), &v); err != nil {
			t.Fatalf("%s: %v in %s", name, err, s.Bytes())
		}
		out = append(out, v)
	}
	return out
}
