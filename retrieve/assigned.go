package retrieve

import (
	"strings"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
)

// Trials has what the arms of running experiments name.
type Trials interface {
	// Reranker is that of a version of the settings, nil where it is not ready.
	Reranker(version int64) rerank.Reranker
	// Model is a version of the collaborative model, nil where it is not ready.
	Model(version int64) CollaborativeModel
}

// trial is what experiments change about one list.
type trial struct {
	lectern.Assignment
	by      rerank.Reranker    // nil: the one in use
	against rerank.Reranker    // of an interleaved list: the second one
	model   CollaborativeModel // nil: the one in use
}

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

// assign finds out which experiments a list, or each row of a page, takes part in, once
// it is known who asks. Lists that are not served take part in none, nor do those that
// are sorted by something that no arm changes, nor anybody on whom nothing may be tried.
func (e *Engine) assign(p *pass) {
	p.segment = p.segmentOf()
	if e.Assigner == nil || !p.served || p.sortKey() != nil || !p.allowsExploring() {
		return
	}
	req := p.assignRequest()
	req.NoModel = !e.asksModel(p)
	if len(p.rows) > 1 {
		p.rowTrials = make(map[lectern.Row]*trial, len(p.rows))
		for row := range p.rows {
			req.Row = row
			p.rowTrials[row] = e.trialOf(p, &req)
		}
		req.Row = ""
	}
	p.trial = *e.trialOf(p, &req)
	if p.trial.by != nil {
		p.reranker = p.trial.by
	}
}

// assignRequest says who asks for what to experiments. A list of recommendations is
// the row of everything; a visitor who has signed in is the learner.
func (p *pass) assignRequest() lectern.AssignRequest {
	l := &p.profile.Learner
	req := lectern.AssignRequest{
		Learner: p.req.Learner, Surface: p.req.Surface, Row: p.req.Row, Segment: p.segment, At: p.at,
		Languages: p.languageKeys(), Region: lectern.FoldKey(l.Region), Organisations: lectern.FoldKeys(l.Organisations),
	}
	if l.ID != "" && !l.Anonymous {
		req.Learner = lectern.LearnerRef{ID: l.ID}
	}
	if req.Surface == lectern.SurfaceHome && req.Row == "" {
		req.Row = lectern.RowForYou
	}
	return req
}

// trialOf is what experiments change about one list. Where what an arm names is not
// ready here, the list is as it is and takes part in nothing.
func (e *Engine) trialOf(p *pass, req *lectern.AssignRequest) *trial {
	t := &trial{Assignment: e.Assigner.Assign(req)}
	if t.Interleaved != nil && req.Row == lectern.RowExplore { // which is in the order of lots
		return &trial{Assignment: lectern.Assignment{Plain: t.Plain}}
	}
	ready := true
	reranker := func(version *int64) rerank.Reranker {
		if version == nil {
			return nil
		}
		var r rerank.Reranker
		if e.Trials != nil {
			r = e.Trials.Reranker(*version)
		}
		ready = ready && r != nil
		return r
	}
	t.by = reranker(t.Settings)
	if pair := t.Interleaved; pair != nil {
		t.by, t.against = reranker(&pair[0]), reranker(&pair[1])
		ready = ready && e.Draft != nil
	}
	if t.Model != nil {
		if e.Trials != nil {
			t.model = e.Trials.Model(*t.Model)
		}
		ready = ready && t.model != nil
	}
	if !ready {
		e.Logger.Warn("what an experiment names is not ready here; the list takes part in none", "experiments", armsText(t.Arms))
		return &trial{Assignment: lectern.Assignment{Plain: t.Plain}}
	}
	return t
}

// trialFor is what experiments change about a row, or about the list.
func (p *pass) trialFor(row lectern.Row) *trial {
	if t := p.rowTrials[row]; t != nil {
		return t
	}
	return &p.trial
}

// rankerOf is what a row, or the list, is ranked by.
func (p *pass) rankerOf(row lectern.Row) rerank.Reranker {
	if t := p.trialFor(row); t.by != nil {
		return t.by
	}
	return p.reranker
}

// rankersOf are all that a row, or the list, is ranked by.
func (p *pass) rankersOf(row lectern.Row) []rerank.Reranker {
	if p.compared != nil {
		return p.compared
	}
	out := []rerank.Reranker{p.rankerOf(row)}
	if t := p.trialFor(row); t.against != nil {
		out = append(out, t.against)
	}
	return out
}

// rankers are all that take part in a pass; some may be there twice.
func (p *pass) rankers() []rerank.Reranker {
	out := p.rankersOf("")
	for row := range p.rowTrials {
		out = append(out, p.rankersOf(row)...)
	}
	return out
}

// configVersion is what a list says of the settings that made it.
func (p *pass) configVersion(row lectern.Row) string {
	version := p.rankerOf(row).Version()
	if t := p.trialFor(row); t.against != nil {
		version += "+" + t.against.Version()
	}
	return version
}

// trialState tells pages apart that experiments make different.
func (p *pass) trialState() string {
	var b strings.Builder
	write := func(row lectern.Row, t *trial) {
		if t.Plain || len(t.Arms) > 0 {
			b.WriteString(string(row))
			if t.Plain {
				b.WriteString("!")
			}
			b.WriteString(armsText(t.Arms))
			b.WriteString(" " + p.configVersion(row) + ";")
		}
	}
	write("", &p.trial)
	for _, row := range lectern.Rows() {
		if t := p.rowTrials[row]; t != nil {
			write(row, t)
		}
	}
	return b.String()
}

func armsText(arms []lectern.ArmRef) string {
	var b strings.Builder
	for _, a := range arms {
		b.WriteString(" " + a.Experiment + "=" + a.Arm)
	}
	return b.String()
}
