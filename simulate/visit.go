package simulate

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/lectern-dev/lectern"
)

// visit is one learner who looks at one list or home page.
type visit struct {
	*Simulation
	learner *learner
	day     int
	number  int // of the day
	at      time.Time
	clock   time.Duration // since at
	events  []lectern.Event
	said    []lectern.Feedback
}

// visit lets a learner look around.
func (s *Simulation) visit(ctx context.Context, l *learner, day, number int, at time.Time) error {
	v := &visit{Simulation: s, learner: l, day: day, number: number, at: at}
	if l.day != day {
		l.day, l.looked = day, 0
	}
	s.today.Visits++
	u := v.lots(lotSurface)
	var err error
	switch rest := (u - s.options.Pages) / (1 - s.options.Pages); {
	case u < s.options.Pages:
		err = v.page(ctx)
	case rest < s.options.Searches:
		err = v.search(ctx)
	default:
		err = v.list(ctx, lectern.ListRequest{Surface: lectern.SurfaceHome, Learner: l.ref, Limit: s.options.PageSize})
	}
	if err != nil {
		return fmt.Errorf("visit of %s: %w", l.ref.ID, err)
	}
	if len(v.events) > 0 {
		if err := s.site.Append(ctx, v.events); err != nil {
			return err
		}
	}
	for _, f := range v.said {
		if err := s.site.Say(ctx, l.ref, f); err != nil {
			return err
		}
	}
	return nil
}

// lots draws for this visit.
func (v *visit) lots(purpose uint64, parts ...uint64) float64 {
	return v.lot(v.learner.index, append([]uint64{purpose, uint64(v.day), uint64(v.number)}, parts...)...) //nolint:gosec // small
}

func (v *visit) page(ctx context.Context) error {
	page, err := v.site.Home(ctx, lectern.HomeRequest{Learner: v.learner.ref, Limit: v.options.PageSize})
	if err != nil {
		return err
	}
	row := 0
	for _, r := range page.Rows {
		if r.Row == lectern.RowContinue {
			continue // what is under way goes on by itself
		}
		if err := v.scan(ctx, lectern.SurfaceHome, r.Row, row, r.List); err != nil {
			return err
		}
		row++
	}
	return nil
}

// search looks for what one of the learner's topics teaches.
func (v *visit) search(ctx context.Context) error {
	query := "introduction"
	x := v.lots(lotTopic)
	for _, in := range v.learner.truth.Interests {
		query = in.Topic
		if words := v.queries[in.Topic]; len(words) > 0 && v.lots(lotQuery) < 0.4 {
			query = words[int(v.lots(lotQuery, 1)*float64(len(words)))]
		}
		if x -= in.Weight; x < 0 {
			break
		}
	}
	e := v.event(lectern.EventSearch, "", 5*time.Second)
	e.Surface, e.Query = lectern.SurfaceSearch, query
	v.events = append(v.events, e)
	return v.list(ctx, lectern.ListRequest{Surface: lectern.SurfaceSearch, Learner: v.learner.ref, Query: query, Limit: v.options.PageSize})
}

func (v *visit) list(ctx context.Context, req lectern.ListRequest) error {
	list, err := v.site.List(ctx, req)
	if err != nil {
		return err
	}
	return v.scan(ctx, req.Surface, req.Row, 0, list)
}

// scan is a look along one list, from its first place.
func (v *visit) scan(ctx context.Context, surface lectern.Surface, row lectern.Row, below int, list lectern.List) error {
	var record lectern.Ranking
	if v.records != nil && list.RankingID != "" {
		var err error
		if record, err = v.records.Ranking(ctx, list.RankingID); err != nil {
			return err
		}
	}
	effect := v.effect(record.Arms)
	v.today.Lists++
	tired := math.Exp(-float64(v.learner.looked) / v.options.Behaviour.Tires)
	places := make([]place, 0, len(list.Items))
	attention := make([]float64, len(list.Items))
	for i, item := range list.Items {
		attention[i] = tired * math.Pow(v.options.Behaviour.RowLook, float64(below)) * math.Pow(v.options.Behaviour.SlotLook, float64(i))
		c := v.courses[item.Course.ID]
		if c == nil {
			continue // of somebody else's making
		}
		places = append(places, place{Position: i, CourseID: c.ID, Attention: attention[i], Chances: v.chances(v.learner, c, v.at, effect)})
	}
	v.judge(record, places, attention)
	for k := range places {
		p := &places[k]
		u := v.lots(lotLook, uint64(below), uint64(p.Position)) //nolint:gosec // small
		if p.Seen = u < p.Attention; !p.Seen {
			continue
		}
		v.meet(p, shown{ranking: list.RankingID, position: p.Position, surface: surface, at: v.at})
	}
	return v.tellList(surface, row, list.RankingID, places)
}

// effect is what the arms of a list multiply.
func (v *visit) effect(arms []lectern.ArmRef) Effect {
	out := plain()
	for _, e := range v.options.Effects {
		if slices.Contains(arms, e.Arm) {
			out.Clicks, out.Enrols = out.Clicks*e.Clicks, out.Enrols*e.Enrols
		}
	}
	return out
}

// meet is a look at one course: what the learner does about it.
func (v *visit) meet(p *place, in shown) {
	l, c, b := v.learner, v.courses[p.CourseID], &v.options.Behaviour
	v.today.Impressions++
	l.looked++
	v.meetNew(p, c)
	v.tell(lectern.EventView, c, in, 3*time.Second)
	key := c.index
	if v.lots(lotClick, key) >= p.Click {
		l.looksAt(c.ID, v.at, b.Forgets)
		v.refuse(p, c, in)
		return
	}
	p.Clicked = true
	v.today.Clicks++
	v.earn(lectern.EventClick, in, v.at, 0)
	v.tell(lectern.EventClick, c, in, 10*time.Second)
	if v.lots(lotEnrol, key) >= p.Enrol {
		l.looksAt(c.ID, v.at, b.Forgets)
		if v.lots(lotSave, key) < b.Saves {
			v.tell(lectern.EventSave, c, in, 20*time.Second)
		}
		return
	}
	p.Enrolled = true
	v.today.Enrols++
	v.earn(lectern.EventEnrol, in, v.at, 0)
	v.tell(lectern.EventEnrol, c, in, time.Minute)
	l.known[c.ID] = true
	v.begin(l, c, in, v.at)
}

// refuse is what a learner may say to a course that they did not click.
func (v *visit) refuse(p *place, c *course, in shown) {
	b, l := &v.options.Behaviour, v.learner
	if l.known[c.ID] {
		return
	}
	not := (1 - p.Want) * (1 - p.Want)
	switch {
	case v.lots(lotReport, c.index) < b.Reports*not:
		v.today.Reports++
		position := in.position
		reasons := []lectern.ReportReason{lectern.ReportIrrelevant, lectern.ReportQuality, lectern.ReportWrongLevel}
		v.said = append(v.said, lectern.Feedback{
			ID: fmt.Sprintf("sim-%s-%s-%d-%d-%d", v.name(), l.ref.ID, v.day, v.number, c.index), CourseID: c.ID, Kind: lectern.FeedbackReport,
			Reason: reasons[int(v.lots(lotReason, c.index)*float64(len(reasons)))], RankingID: in.ranking, Position: &position,
		})
		l.known[c.ID] = true
	case v.lots(lotDismiss, c.index) < b.Dismisses*not:
		v.today.Dismissals++
		v.tell(lectern.EventDismiss, c, in, 4*time.Second)
		l.known[c.ID] = true
	}
}

// tell records an event that cites the list.
func (v *visit) tell(kind lectern.EventType, c *course, in shown, pause time.Duration) {
	e := v.event(kind, c.ID, pause)
	position := in.position
	e.RankingID, e.Position, e.Surface = in.ranking, &position, in.surface
	if in.ranking == "" {
		e.Position = nil
	}
	v.events = append(v.events, e)
}

// event is something that happens a pause later in this visit.
func (v *visit) event(kind lectern.EventType, courseID string, pause time.Duration) lectern.Event {
	v.clock += pause
	e := v.says(v.learner, kind, courseID, v.at.Add(v.clock))
	e.SessionID = fmt.Sprintf("sim-%s-%d-%d", v.learner.ref.ID, v.day, v.number)
	return e
}

// name is of this run among those on a site, so that what it tells has ids of its own. In
// process it is the same in every run of a seed; a server is visited as often as one likes.
func (s *Simulation) name() string {
	if s.options.KeepsTime != nil {
		return fmt.Sprintf("%d-t%d", s.options.Seed, s.start.UnixMilli())
	}
	return strconv.FormatUint(s.options.Seed, 10)
}

// says makes an event of a learner.
func (s *Simulation) says(l *learner, kind lectern.EventType, courseID string, at time.Time) lectern.Event {
	l.said++
	return lectern.Event{
		ID: fmt.Sprintf("sim-%s-%d-%s-%d", s.name(), s.options.First, l.ref.ID, l.said), SchemaVersion: lectern.EventSchemaVersion,
		Type: kind, LearnerID: l.ref.ID, CourseID: courseID, OccurredAt: s.now(at),
	}
}
