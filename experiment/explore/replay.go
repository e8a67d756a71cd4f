package explore

import (
	"context"
	"slices"

	"github.com/lectern-dev/lectern"
)

// Replay is a recorded list filled again from its record.
type Replay struct {
	Ranking *lectern.Ranking // as recorded
	// Filled says whether the seed fills the places as they were recorded, and Differs
	// at which places it does not.
	Filled  bool
	Differs []int
	Draws   int      // behind the probabilities that were found again; 0 is exact
	Slate   []string // ids of the courses as they stood before, as far as they may change
	Choices []Choice
	Places  []Replayed // of the slate
}

// Choice is how one exploring place was filled.
type Choice struct {
	Place    int    // 0-based
	CourseID string // that was put there
	Stood    string // course that would have stood there
	By       string // policy, floor or new
	Options  int    // courses that it was chosen among
	Owed     int    // of which are new and owed impressions
}

// Replayed is one place of the list with its probabilities: as recorded, and as found
// again.
type Replayed struct {
	Place           int
	CourseID        string
	Stood           int // place before
	Recorded        float64
	RecordedError   float64
	Propensity      float64
	PropensityError float64
	// Agrees says that the two differ by no more than their errors explain (4 standard
	// errors), or, both being exact, than arithmetic does.
	Agrees bool
}

// DrawsAllowed says how many draws a replay may ask for.
const DrawsAllowed = "0 (as recorded), or 100 to 1000000"

// mostReplayDraws bounds what a replay may ask for.
const mostReplayDraws = 1_000_000

// Replay fills the exploring places of a recorded list again and finds the
// probabilities again, with so many draws where they are not exact; 0 is as many as
// were recorded. It needs the record and the posterior that it names alone. Errors:
// CodeInvalid for a list without exploration, a record that cannot be read or a number
// of draws; CodeNotFound where the posterior is no longer kept.
func (e *Explorer) Replay(ctx context.Context, r *lectern.Ranking, draws int) (*Replay, error) {
	x := r.Exploration
	switch {
	case x == nil:
		return nil, lectern.Errorf(lectern.CodeInvalid, "nothing was explored in the list %s: every place held what the reranker put there", r.ID)
	case draws < 0 || draws > mostReplayDraws || draws > 0 && draws < leastDraws:
		return nil, lectern.Invalid("a list cannot be replayed so often",
			lectern.NewFieldError("draws", draws, "is out of range", DrawsAllowed))
	}
	visits := manyVisits
	if draws == 0 {
		draws, visits = x.Draws, mostVisits // as it was recorded
	}
	s, actual, err := sceneOf(r)
	if err != nil {
		return nil, err
	}
	p, err := e.recorded(ctx, r, s)
	if err != nil {
		return nil, err
	}
	out := &Replay{Ranking: r}
	var f filler
	filled, by := f.fill(s, p, source(x.Seed, streamFill), nil)
	for at := range s.size {
		if filled[at] != actual[at] {
			out.Differs = append(out.Differs, at)
		}
	}
	out.Filled = len(out.Differs) == 0 && slices.Equal(by, x.By)
	id := func(slot int32) string { return r.Items[x.Slate[slot]].CourseID }
	for slot := range int32(s.size) {
		out.Slate = append(out.Slate, id(slot))
	}
	out.Choices = s.choices(actual, x.By, id)
	cells, used, err := e.cells(ctx, r, draws, visits)
	if err != nil {
		return nil, err
	}
	out.Draws = used
	for at, c := range cells {
		it := &r.Items[at]
		out.Places = append(out.Places, Replayed{
			Place: at, CourseID: it.CourseID, Stood: int(actual[at]), Recorded: it.Propensity, RecordedError: it.PropensityError,
			Propensity: c.chance, PropensityError: c.error, Agrees: c.agrees(it.Propensity, it.PropensityError),
		})
	}
	return out, nil
}

// agrees reports whether a probability found before is the same within its error.
func (c cell) agrees(p, err float64) bool {
	d := c.chance - p
	return d*d <= 16*(c.error*c.error+err*err)+1e-18
}

// choices says how the places were filled.
func (s *scene) choices(actual list, by []string, id func(int32) string) []Choice {
	var out []Choice
	l := s.begin(nil)
	for i, place := range s.places {
		options := s.options(l, place, nil)
		c := Choice{
			Place: place, CourseID: id(actual[place]), Stood: id(l[place]), Options: len(options), Owed: s.owedAmong(l, options),
		}
		if i < len(by) {
			c.By = by[i]
		}
		out = append(out, c)
		if from := slices.Index(l, actual[place]); from >= 0 {
			s.put(l, from, place)
		}
	}
	return out
}
