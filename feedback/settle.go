package feedback

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/rerank"
	"github.com/lectern-dev/lectern/settings"
)

// MaxNoteBytes bounds a note about reports.
const MaxNoteBytes = 2_000

// Settlement is what becomes of the reports about a course.
type Settlement struct {
	Status *lectern.ReportStatus  `json:"status"` // nil leaves each as it is
	Note   *string                `json:"note"`   // nil keeps the last one
	From   []lectern.ReportStatus `json:"from"`   // which of them; none are those that are not settled yet
	By     string                 `json:"-"`      // id of the API key, or "cli"
}

// unsettled are the states of reports that somebody still has to look at.
func unsettled() []lectern.ReportStatus {
	return []lectern.ReportStatus{lectern.ReportOpen, lectern.ReportLooking}
}

// Faults returns what is wrong with a settlement.
func (t Settlement) Faults() []lectern.FieldError {
	var bad []lectern.FieldError
	known := func(field string, s lectern.ReportStatus) {
		if !slices.Contains(lectern.ReportStatuses(), s) {
			bad = append(bad, lectern.NewFieldError(field, s, "is unknown", words(lectern.ReportStatuses())))
		}
	}
	if t.Status == nil && t.Note == nil {
		bad = append(bad, lectern.NewFieldError("status", "", "is missing", "status, note or both"))
	}
	if t.Status != nil {
		known("status", *t.Status)
	}
	if t.Note != nil && (len(*t.Note) > MaxNoteBytes || !utf8.ValidString(*t.Note) || strings.ContainsRune(*t.Note, 0)) {
		bad = append(bad, lectern.NewFieldError("note", *t.Note, "is too long, or no text", fmt.Sprintf("at most %d bytes of text", MaxNoteBytes)))
	}
	for i, s := range t.From {
		known(fmt.Sprintf("from[%d]", i), s)
	}
	return bad
}

// Settle sets status and note of the reports about a course and returns how many.
// Errors: CodeInvalid naming every field at fault; CodeNotFound where nobody reported
// the course; and those of the store.
func (s *Service) Settle(ctx context.Context, courseID string, t Settlement) (int, error) {
	if bad := t.Faults(); len(bad) > 0 {
		return 0, lectern.Invalid("the reports cannot be set to this", bad...)
	}
	of, err := s.about(ctx, courseID)
	if err != nil {
		return 0, err
	}
	from := t.From
	if len(from) == 0 {
		from = unsettled()
	}
	to := lectern.Report{Note: courseReports(courseID, of).Note, By: t.By, SetAt: lectern.Timestamp(s.o.Clock())}
	if t.Note != nil {
		to.Note = *t.Note
	}
	if t.Status != nil {
		to.Status = *t.Status
		return s.o.Store.SetReports(ctx, courseID, from, to)
	}
	all := 0
	for _, to.Status = range from { // each keeps its own
		n, err := s.o.Store.SetReports(ctx, courseID, []lectern.ReportStatus{to.Status}, to)
		if err != nil {
			return all, err
		}
		all += n
	}
	return all, nil
}

// about returns the reports about a course. Errors: CodeNotFound where there are none.
func (s *Service) about(ctx context.Context, courseID string) ([]lectern.Report, error) {
	of, _, err := s.read(ctx, Query{CourseID: courseID})
	if err != nil {
		return nil, err
	}
	if courseID == "" || len(of) == 0 {
		return nil, lectern.Errorf(lectern.CodeNotFound, "nobody reported a course %q", courseID)
	}
	return of, nil
}

// RuleDays is how long a rule made of reports holds when nobody says.
const RuleDays = 90

// RuleGiven is the rule that is asked for.
type RuleGiven struct {
	Action   rerank.RuleAction `json:"action"`   // bury or hide
	Surfaces []lectern.Surface `json:"surfaces"` // none is every surface
	Until    *time.Time        `json:"until"`    // nil is 90 days from now
	Strength *float64          `json:"strength"` // of bury; nil is the settings' default
	Comment  string            `json:"comment"`  // of the new version; "" says what was reported
	IfMatch  string            `json:"-"`        // the header; "" adds to whatever is in use
	Author   string            `json:"-"`        // id of the API key, or "cli"
}

// RuleMade is a rule that was made of reports.
type RuleMade struct {
	Rule     rerank.Rule        `json:"rule"`
	Version  int64              `json:"version"` // of the rerank settings that hold it
	Name     string             `json:"name"`
	ETag     string             `json:"etag"`
	Changed  bool               `json:"changed"`  // false: the rule was there already
	Resolved int                `json:"resolved"` // reports
	Warnings []settings.Warning `json:"warnings"`
}

// ruleActions are what reports may ask for.
func ruleActions() []rerank.RuleAction { return []rerank.RuleAction{rerank.RuleBury, rerank.RuleHide} }

// Rule adds a rule about a reported course to the rerank settings, as a new version
// that is in use at once, and resolves the course's reports. Asked for again, the rule
// takes the place of the one before. Errors: CodeInvalid naming every field at fault;
// CodeNotFound where nobody reported the course; CodePrecondition where IfMatch does
// not hold; CodeUnavailable without settings; and those of the stores.
func (s *Service) Rule(ctx context.Context, courseID string, g RuleGiven) (RuleMade, error) {
	if s.o.Rules == nil {
		return RuleMade{}, lectern.Errorf(lectern.CodeUnavailable, "rerank settings are not kept here")
	}
	now := lectern.Timestamp(s.o.Clock())
	if bad := g.Faults(now); len(bad) > 0 {
		return RuleMade{}, lectern.Invalid("this is not a rule that reports can make", bad...)
	}
	of, err := s.about(ctx, courseID)
	if err != nil {
		return RuleMade{}, err
	}
	group := courseReports(courseID, of)
	courses, err := s.courses(ctx, []string{courseID})
	if err != nil {
		return RuleMade{}, err
	}
	group.Title = courses[courseID].Title
	rule := ruleOf(group, g.Action, now)
	rule.Surfaces = g.Surfaces
	if g.Until != nil {
		until := g.Until.UTC()
		rule.Until = &until
	}
	if g.Strength != nil {
		rule.Strength = *g.Strength
	}
	if g.Comment == "" {
		g.Comment = rule.Note
	}
	made, err := s.o.Rules.AddRule(ctx, rule, settings.Change{IfMatch: g.IfMatch, Author: g.Author, Comment: g.Comment})
	if err != nil {
		return RuleMade{}, err
	}
	out := RuleMade{Rule: rule, Version: made.Version, Name: made.Name, ETag: made.ETag, Changed: made.Changed, Warnings: made.Warnings}
	out.Resolved, err = s.o.Store.SetReports(ctx, courseID, unsettled(), lectern.Report{
		Status: lectern.ReportResolved, Note: fmt.Sprintf("rule %s in %s", rule.ID, made.Name), By: g.Author, SetAt: now,
	})
	return out, err
}

// Faults returns what is wrong with what is asked for.
func (g RuleGiven) Faults(now time.Time) []lectern.FieldError {
	var bad []lectern.FieldError
	fail := func(field string, value any, reason, allowed string) {
		bad = append(bad, lectern.NewFieldError(field, value, reason, allowed))
	}
	if !slices.Contains(ruleActions(), g.Action) {
		fail("action", g.Action, "is not allowed", words(ruleActions()))
	}
	for i, s := range g.Surfaces {
		if !slices.Contains(lectern.Surfaces(), s) {
			fail(fmt.Sprintf("surfaces[%d]", i), s, "is unknown", words(lectern.Surfaces()))
		}
	}
	if g.Until != nil && !g.Until.After(now) {
		fail("until", g.Until.Format(time.RFC3339), "is over", "a time to come")
	}
	switch {
	case g.Strength == nil:
	case g.Action == rerank.RuleHide:
		fail("strength", *g.Strength, "is of bury only", "only with action bury")
	case !(*g.Strength > 0 && *g.Strength <= 1):
		fail("strength", *g.Strength, "is out of range", "over 0, at most 1")
	}
	return bad
}

// suggested are the rules that reports about a course suggest.
func suggested(c CourseReports, now time.Time) []rerank.Rule {
	out := make([]rerank.Rule, 0, len(ruleActions()))
	for _, action := range ruleActions() {
		out = append(out, ruleOf(c, action, now))
	}
	return out
}

// ruleOf is a rule about a reported course, for RuleDays from now.
func ruleOf(c CourseReports, action rerank.RuleAction, now time.Time) rerank.Rule {
	until := now.Add(RuleDays * day).UTC().Truncate(time.Second)
	rule := rerank.Rule{ID: ruleID(c.CourseID, action), Action: action, Courses: []string{c.CourseID}, Until: &until, Note: note(c)}
	if action == rerank.RuleBury {
		rule.Strength = rerank.DefaultStrength
	}
	return rule
}

// How much of an id and a title is shown where there is little room.
const (
	slugBytes  = 32
	titleRunes = 80
)

// ruleID names a rule: the same for the same course and action. What has no place in
// the id of a rule is left out of the course's, and a hash tells such courses apart.
func ruleID(course string, action rerank.RuleAction) string {
	slug := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '.', r == '_', r == '-':
			return r
		}
		return -1
	}, course)
	if slug != course || len(slug) > slugBytes {
		sum := sha256.Sum256([]byte(course))
		slug = slug[:min(len(slug), slugBytes-9)] + "-" + hex.EncodeToString(sum[:4])
	}
	return "report-" + string(action) + "-" + slug
}

// note says why there is a rule: “Title”: 4 reports until 2 January 2026: 3 outdated, 1 other.
func note(c CourseReports) string {
	name := c.Title
	if name == "" {
		name = c.CourseID
	}
	if r := []rune(name); len(r) > titleRunes {
		name = string(r[:titleRunes]) + "…"
	}
	reasons := make([]string, len(c.Reasons))
	for i, n := range c.Reasons {
		reasons[i] = fmt.Sprintf("%d %s", n.Count, n.Name)
	}
	reports := "1 report"
	if c.Reports != 1 {
		reports = fmt.Sprintf("%d reports", c.Reports)
	}
	return fmt.Sprintf("“%s”: %s until %s: %s", name, reports, c.NewestAt.UTC().Format("2 January 2006"), strings.Join(reasons, ", "))
}
