package learner_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/learner"
)

// TestReviewsShare mixes what learners say into a course's part of a taste. Course
// x lies along the first axis and y along the second; people speak of x along the
// second, and of y not at all.
func TestReviewsShare(t *testing.T) {
	tests := []struct {
		name    string
		share   float64
		entries []lectern.ProfileEntry
		want    []float32
		asked   int
	}{
		{"no share changes nothing", 0, []lectern.ProfileEntry{entry("x", 3, 0)}, []float32{1, 0}, 0},
		// .75·(1, 0) + .25·(0, 1) = (.75, .25), of length .7906
		{"a quarter", 0.25, []lectern.ProfileEntry{entry("x", 3, 0)}, []float32{0.9487, 0.3162}, 1},
		{"reviews alone", 1, []lectern.ProfileEntry{entry("x", 3, 0)}, []float32{0, 1}, 1},
		{"without reviews its content", 1, []lectern.ProfileEntry{entry("nx", 3, 0)}, []float32{-1, 0}, 1},
		{"without content nothing", 0.5, []lectern.ProfileEntry{entry("z", 3, 0)}, nil, 1},
		{"opposites leave the content", 0.5, []lectern.ProfileEntry{entry("y", 3, 0)}, []float32{0, 1}, 1},
		// 10·(.7071, .7071) − 5·(.8, .6) = (3.071, 4.071), of length 5.0996
		{"each course is mixed before it is weighed", 0.5,
			[]lectern.ProfileEntry{entry("x", 10, 0), entry("a", -3, 0)}, []float32{0.6022, 0.7983}, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := newMemory(tt.entries...)
			m.reviews = map[string][]float32{"x": {0, 1}, "z": {1, 0}, "y": {0, -1}}
			taste := tasteWith(t, m, tt.share)
			var got []float32
			if len(taste.Vectors) > 0 {
				got = taste.Vectors[0]
			}
			if diff := cmp.Diff(tt.want, got, cmpopts.EquateApprox(0, 1e-4)); diff != "" {
				t.Errorf("taste (-want +got):\n%s", diff)
			}
			if m.asked != tt.asked {
				t.Errorf("reviews were read %d times, want %d", m.asked, tt.asked)
			}
			for _, l := range taste.Liked { // reasons compare contents
				if diff := cmp.Diff(m.vectors[l.CourseID], l.Vector); diff != "" {
					t.Errorf("liked %s (-want +got):\n%s", l.CourseID, diff)
				}
			}
		})
	}
}

func tasteWith(t *testing.T, m *memory, share float64) learner.Taste {
	t.Helper()
	cfg := learner.DefaultConfig()
	cfg.ReviewsShare = share
	p, err := learner.NewProfiles(m, cfg, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	_, taste, err := p.Load(context.Background(), lectern.LearnerRef{ID: "l"}, m, m)
	if err != nil {
		t.Fatal(err)
	}
	return taste
}

func TestReviewsShareIsChecked(t *testing.T) {
	for _, share := range []float64{-0.1, 1.1} {
		cfg := learner.DefaultConfig()
		cfg.ReviewsShare = share
		var invalid *lectern.Error
		if err := cfg.Validate(); !errors.As(err, &invalid) || invalid.Code != lectern.CodeInvalid {
			t.Errorf("share %v: %v", share, err)
		}
	}
}
