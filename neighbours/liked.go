package neighbours

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/lectern-dev/lectern"
)

// maxKept bounds the courses of an answer.
const maxKept = 500

// Liked returns up to k courses that learners with similar profiles took, by falling
// weight scaled to (0, 1]; nil when there are none. Courses that the learner knows
// are among them. version is that of the learner's profile: answers for one version
// are kept for a while. Errors: CodeUnavailable, CodeDeadline.
func (l *Learners) Liked(ctx context.Context, ref lectern.LearnerRef, version int64, k int) ([]lectern.Hit, error) {
	if k <= 0 {
		return nil, nil
	}
	a, err := l.answer(ctx, ref, version)
	return a.hits[:min(k, len(a.hits))], err
}

// answer is what similar learners took, kept or found.
func (l *Learners) answer(ctx context.Context, ref lectern.LearnerRef, version int64) (answer, error) {
	s := l.current.Load()
	now, _, factor, ok := l.key()
	if !ok || s == nil { // without vectors nobody is similar, nor where nobody keeps them
		return answer{}, nil
	}
	if !s.content.Load() || s.key.fingerprint != now.Fingerprint || s.key.version != now.Version {
		return answer{}, lectern.Errorf(lectern.CodeUnavailable, "learners are still being read")
	}
	at := l.o.Clock()
	if kept, ok := l.cache.get(ref, version, s.key, at); ok {
		return kept, nil
	}
	asker, err := l.o.Asker(ctx, ref)
	if lectern.ErrorCode(err) == lectern.CodeNotFound || err == nil && !asker.Personal {
		return answer{}, nil
	}
	if err != nil {
		return answer{}, fmt.Errorf("read who asks: %w", err)
	}
	self, err := l.o.Store.ProfileKey(ctx, ref)
	if lectern.ErrorCode(err) == lectern.CodeNotFound {
		return answer{}, nil
	}
	if err != nil {
		return answer{}, fmt.Errorf("read who asks: %w", err)
	}
	near, err := l.near(ctx, s, asker, factor, idOf(self))
	if err != nil {
		return answer{}, fmt.Errorf("find similar learners: %w", err)
	}
	made := answer{version: version, key: s.key, at: at}
	if made.hits, made.ends, err = l.took(ctx, s, near); err != nil {
		return answer{}, err
	}
	l.cache.put(ref, made)
	return made, nil
}

// near returns the similar learners, without the one who asks: by the collaborative
// vector where there is one, else by content.
func (l *Learners) near(ctx context.Context, s *space, who Asker, factor Factor, self string) ([]lectern.Hit, error) {
	name, vector := lectern.VectorContent, who.Content
	if model, _ := l.factor(); factor != nil && s.cf.Load() && s.key.model == model {
		if f := factor(who.Touched); f != nil {
			name, vector = lectern.VectorCF, f
		}
	}
	if vector == nil {
		return nil, nil
	}
	hits, err := s.nearest(ctx, name, vector, l.o.Config.Count+1)
	if err != nil {
		return nil, err
	}
	hits = slices.DeleteFunc(hits, func(h lectern.Hit) bool { return h.ID == self || h.Score <= 0 })
	return hits[:min(len(hits), l.o.Config.Count)], nil
}

// took adds up what similar learners took: Σ similarity × weight, divided by how
// usual a course is. Where it is read from the store, that leaves out who has
// withdrawn consent this moment; in this process the feed does.
func (l *Learners) took(ctx context.Context, s *space, near []lectern.Hit) ([]lectern.Hit, []end, error) {
	if len(near) == 0 {
		return nil, nil, nil
	}
	now := l.o.Clock()
	sums, became := map[string]float64{}, ends{}
	if s.taken != nil {
		for _, h := range near {
			s.taken.add(h.ID, float64(h.Score), now, sums, became)
		}
		return l.ranked(sums), became.list(), nil
	}
	keys := make([]int64, len(near))
	for i, h := range near {
		keys[i] = keyOf(h.ID)
	}
	byKey, err := l.o.Store.EntriesByKey(ctx, keys)
	if err != nil {
		return nil, nil, fmt.Errorf("read what similar learners took: %w", err)
	}
	for i, h := range near {
		for _, e := range weigh(byKey[keys[i]], now, l.o.MaxWeight) {
			if e.started() {
				became.add(e.course, e.finished())
			}
			if e.weight > 0 {
				sums[e.course] += float64(h.Score) * e.weight
			}
		}
	}
	return l.ranked(sums), became.list(), nil
}

// ranked damps what is usual, scales to (0, 1] and sorts.
func (l *Learners) ranked(sums map[string]float64) []lectern.Hit {
	usual, most := l.usual.Load(), 0.0
	for course, sum := range sums {
		sums[course] = sum / usual.dampen(course, l.o.Config.Damping)
		most = max(most, sums[course])
	}
	out := make([]lectern.Hit, 0, len(sums))
	for course, sum := range sums {
		if score := float32(sum / most); score > 0 {
			out = append(out, lectern.Hit{ID: course, Score: score})
		}
	}
	slices.SortFunc(out, func(a, b lectern.Hit) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.ID, b.ID))
	})
	if len(out) > maxKept {
		out = slices.Clone(out[:maxKept])
	}
	return out
}
