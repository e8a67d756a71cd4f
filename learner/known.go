package learner

import (
	"context"
	"time"

	"github.com/lectern-dev/lectern"
)

// known is all that a profile says about a learner at one time.
type known struct {
	taste   Taste
	entries []weighted    // all of them, heaviest first
	facts   []CourseFacts // beside entries
	parts   parted
	recent  []point   // of the last session
	away    [][]point // what was turned down, by topic, heaviest first
	level   levelEstimate
	gained  []skill
	wanted  []skill
	study
	missing bool // a course of the profile had no vector
}

// study is what single events say.
type study struct {
	session map[string]float64 // see Config.session; nil where no events were read
	counts  int                // events that say something about the learner
	hours   hoursEstimate
	failed  bool // events could not be read this time
}

// readStudy reads the learner's events.
func (p *Profiles) readStudy(ctx context.Context, ref lectern.LearnerRef, l lectern.Learner) study {
	if p.from.Events == nil || p.cfg.MaxEvents == 0 || !personal(l) {
		return study{}
	}
	events, err := p.from.Events.LearnerEvents(ctx, ref, p.cfg.MaxEvents)
	if err != nil {
		return study{failed: true}
	}
	s := study{session: p.cfg.session(events)}
	var ids []string
	seen := make(map[string]bool)
	for _, e := range events {
		if p.cfg.Delta(e) != nil {
			s.counts++
		}
		if e.CourseID != "" && !seen[e.CourseID] {
			seen[e.CourseID] = true
			ids = append(ids, e.CourseID)
		}
	}
	if p.from.Courses == nil {
		return s
	}
	hours := make(map[string]float64, len(ids))
	for _, f := range p.from.Courses.Facts(ids) {
		if f.Hours != nil {
			hours[f.ID] = *f.Hours
		}
	}
	s.hours = p.cfg.estimateHours(events, hours)
	return s
}

// know makes of a profile what is known of the learner: interests of the courses
// and of what is stated (see part), where a course's vector is that of its content
// mixed with that of its reviews by ReviewsShare. embedder may be nil: then there
// are no vectors.
func (p *Profiles) know(
	ctx context.Context, profile lectern.Profile, s study, at time.Time, index lectern.VectorIndex, embedder lectern.Embedder,
) known {
	c := p.cfg
	k := known{taste: Taste{Personal: personal(profile.Learner)}, study: s}
	if !k.taste.Personal {
		return k
	}
	removed := removals(profile.Corrections)
	k.entries = c.weigh(profile.Entries, at)
	k.facts = p.from.facts(k.entries)
	for i := range k.entries {
		k.entries[i].out = removed.course(k.facts[i])
	}
	k.taste.Interests = c.stated(profile.Learner, removed)
	p.estimate(&k, profile)
	session := s.session
	if session == nil {
		session = c.sessionOf(k.entries)
	}
	entries := c.heaviest(k.entries)
	vectors := make([][]float32, len(entries))
	if embedder != nil {
		if !k.readVectors(ctx, index, embedder, entries, vectors) {
			k.taste.Touched = touched(k.entries)
			return k
		}
	}
	mixed := vectors
	if embedder != nil && c.ReviewsShare > 0 {
		said, answered := courseVectors(ctx, index, lectern.VectorReviews, entries)
		if !answered {
			k.taste.Partial = true
			k.taste.Touched = touched(k.entries)
			return k
		}
		mixed = c.mix(vectors, said)
	}
	points := c.points(entries, mixed, k.taste.Interests)
	k.parts = c.part(points)
	k.leaveOut()
	for _, g := range k.parts.groups {
		k.taste.Vectors = append(k.taste.Vectors, g.vector)
		k.taste.Shares = append(k.taste.Shares, g.share)
	}
	k.taste.Touched = touched(k.entries)
	k.taste.Away = mean(k.parts.turned)
	k.away = c.topics(k.parts.turned)
	for _, points := range k.away {
		if v := mean(points); v != nil {
			k.taste.AwayTopics = append(k.taste.AwayTopics, v)
		}
	}
	k.recent = inSession(session, k.still(points))
	k.taste.Recent = mean(k.recent)
	k.taste.Liked = c.liked(entries, vectors, k.parts.over)
	k.lighten()
	return k
}

// readVectors fills in the content vectors of courses and of what is stated. It
// reports whether the index answered.
func (k *known) readVectors(
	ctx context.Context, index lectern.VectorIndex, embedder lectern.Embedder, entries []weighted, vectors [][]float32,
) bool {
	found, answered := courseVectors(ctx, index, lectern.VectorContent, entries)
	if !answered {
		k.taste.Partial = true
		return false
	}
	copy(vectors, found)
	for _, v := range vectors {
		k.missing = k.missing || v == nil
	}
	k.taste.Partial = !embedStated(ctx, embedder, k.taste.Interests)
	return true
}

// estimate fills in what is no vector: level, hours, pace and skills.
func (p *Profiles) estimate(k *known, profile lectern.Profile) {
	c, l := p.cfg, profile.Learner
	k.level = c.estimateLevel(k.entries, k.facts)
	k.taste.Level = l.PreferredLevel
	if k.taste.Level == "" {
		k.taste.Level = c.level(k.level)
		k.taste.LevelEstimated = k.taste.Level != ""
	}
	k.taste.WeeklyHours = l.WeeklyHours
	enough := k.hours.evidence >= c.MinEvidence
	if k.taste.WeeklyHours == nil && enough {
		hours := k.hours.hours
		k.taste.WeeklyHours, k.taste.HoursEstimated = &hours, true
	}
	switch {
	case profile.Corrections.Pace != "":
		k.taste.Pace = profile.Corrections.Pace
	case enough:
		k.taste.Pace = c.pace(k.hours.hours)
	case k.taste.WeeklyHours != nil:
		k.taste.Pace = c.pace(*k.taste.WeeklyHours)
	}
	k.gained = p.from.gained(k.entries, k.facts)
	k.wanted = p.from.wanted(l.Goal, k.gained)
	for _, s := range k.wanted {
		k.taste.Wanted = append(k.taste.Wanted, s.Name)
	}
}

// leaveOut marks the courses of removed interests.
func (k *known) leaveOut() {
	out := make(map[string]bool, len(k.parts.out))
	for _, p := range k.parts.out {
		out[p.id] = true
	}
	for i := range k.entries {
		k.entries[i].out = k.entries[i].out || out[k.entries[i].id]
	}
}

// lighten lets go of the vectors of single courses, which nobody asks for again.
func (k *known) lighten() {
	lists := append([][]point{k.recent, k.parts.turned, k.parts.over, k.parts.out}, k.away...)
	for _, g := range k.parts.groups {
		lists = append(lists, g.points, g.against)
	}
	for _, list := range lists {
		for i := range list {
			list[i].vector = nil
		}
	}
}

// still are the points that are not of interests that were removed, or turned down
// since.
func (k *known) still(points []point) []point {
	out := make(map[string]bool, len(k.entries))
	for _, e := range k.entries {
		if e.out {
			out[e.id] = true
		}
	}
	for _, p := range k.parts.over {
		out[p.id] = true
	}
	kept := points[:0:0]
	for _, p := range points {
		if p.stated >= 0 || !out[p.id] {
			kept = append(kept, p)
		}
	}
	return kept
}

// liked are the courses that reasons may cite: those that speak for the learner's
// taste, without those of interests that were turned down or removed since.
func (c Config) liked(entries []weighted, vectors [][]float32, over []point) []Liked {
	gone := make(map[string]bool, len(over))
	for _, p := range over {
		gone[p.id] = true
	}
	var out []Liked
	for i, e := range entries {
		if e.weight > 0 && !e.out && !gone[e.id] && len(out) < c.MaxLiked {
			out = append(out, Liked{CourseID: e.id, Weight: e.weight, Vector: vectors[i]})
		}
	}
	return out
}
