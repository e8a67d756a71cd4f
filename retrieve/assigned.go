package retrieve

import "github.com/lectern-dev/lectern"

// fewTouched is how many courses a learner must have done something with to be no new
// learner.
const fewTouched = 3

// segmentOf is what kind of caller a list is made for. What is not to be used is not
// known.
func (p *pass) segmentOf() lectern.Segment {
	switch l := &p.profile.Learner; {
	case p.req.Learner.IsZero():
		return lectern.SegmentNobody
	case p.req.Learner.ID == "" || l.Anonymous:
		return lectern.SegmentVisitor
	case !p.taste.Personal || len(p.taste.Touched) < fewTouched:
		return lectern.SegmentNew
	}
	return lectern.SegmentActive
}

// assign finds out which experiments a list takes part in, once it is known who asks.
// Lists that are not served take part in none.
func (e *Engine) assign(p *pass) {
	p.segment = p.segmentOf()
	if e.Assigner == nil || !p.served {
		return
	}
	l := &p.profile.Learner
	p.assigned = e.Assigner.Assign(&lectern.AssignRequest{
		Learner: p.req.Learner, Surface: p.req.Surface, Row: p.req.Row, Segment: p.segment, At: p.at,
		Languages: p.languageKeys(), Region: lectern.FoldKey(l.Region), Organisations: lectern.FoldKeys(l.Organisations),
	})
}
