package opinion_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/opinion"
)

// fakeChat answers by a rule of its own and keeps what it was asked.
type fakeChat struct {
	mu    sync.Mutex
	asked []string
	err   error
}

func (*fakeChat) Name() string { return "chat/fake" }

func (f *fakeChat) Score(_ context.Context, texts []string) (map[int]float64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, texts...)
	if f.err != nil {
		return nil, f.err
	}
	out := map[int]float64{}
	for i, text := range texts {
		if !strings.Contains(text, "unanswered") {
			out[i] = 0.25
		}
	}
	return out, nil
}

func TestChatReadsBesideTheModel(t *testing.T) {
	s := openStore(t)
	putCourses(t, s, "a")
	for i := range 12 {
		putReviews(t, s, review("a", fmt.Sprint("r", i), "Great course. "+babble(i, 8), 5, noon.AddDate(0, 0, -i)))
	}
	putReviews(t, s, review("a", "u", "Great course, unanswered.", 5, noon.AddDate(0, 0, 1)))
	f := &fakeChat{}
	now := noon.AddDate(0, 0, 1)
	k := newKeeper(t, s, func(o *opinion.Options) {
		o.Chat, o.Clock = f, func() time.Time { return now }
		o.Config.Chat.MaxPerDay, o.Config.Chat.Batch = 8, 5
	})
	refresh := func(wantAsked int) lectern.ReviewSummary {
		t.Helper()
		if err := k.Refresh(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		if len(f.asked) != wantAsked {
			t.Errorf("asked about %d reviews, want %d", len(f.asked), wantAsked)
		}
		return summary(t, k, "a")
	}
	first := refresh(8) // the newest, up to the bound of a day
	if first.Read != 13 || !strings.HasPrefix(first.Model, "chat/fake+lexicon") || *first.Score > 0.7 || *first.Score < 0.3 {
		t.Errorf("%+v, score %v", first, *first.Score)
	}
	refresh(8)
	now = now.AddDate(0, 0, 1)
	second := refresh(8 + 6) // five that were not asked about, and again the one without an answer
	if *second.Score >= *first.Score {
		t.Errorf("%v, then %v", *first.Score, *second.Score)
	}
	f.err = lectern.Errorf(lectern.CodeUnavailable, "away")
	putReviews(t, s, review("a", "n1", "Great. "+babble(90, 8), 5, now), review("a", "n2", "Great. "+babble(91, 8), 5, now))
	now = now.AddDate(0, 0, 1)
	if got := refresh(14 + 3); got.Read != 15 { // and then nobody is asked for a while
		t.Errorf("%+v", got)
	}
	refresh(14 + 3)
	if st := k.Stats().Chat; st.Failed != 1 || st.Answered != 12 {
		t.Errorf("%+v", st)
	}
}
