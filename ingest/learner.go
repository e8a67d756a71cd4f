package ingest

import (
	"slices"

	"github.com/lectern-dev/lectern"
)

type learner = lectern.Learner

const setByServer = "is set by the server"

var learnerSchema = newSchema(Learners, map[string]string{"updated_at": setByServer},
	binding[learner]{idField("id", true), func(l *learner, v value) { l.ID = v.text }},
	binding[learner]{plainField("anonymous", TypeBool), func(l *learner, v value) { l.Anonymous = v.flag }},
	binding[learner]{listField("interests", TypeTexts, MaxNameChars), func(l *learner, v value) { l.Interests = v.list }},
	binding[learner]{textField("goal", MaxGoalChars), func(l *learner, v value) { l.Goal = v.text }},
	binding[learner]{numberField("weekly_hours", TypeNumber, 0, MaxWeeklyHours), func(l *learner, v value) { l.WeeklyHours = v.numberPtr() }},
	binding[learner]{wordField("preferred_level", lectern.Levels()), func(l *learner, v value) { l.PreferredLevel = lectern.Level(v.text) }},
	binding[learner]{listField("languages", TypeLanguages, 0), func(l *learner, v value) { l.Languages = v.list }},
	binding[learner]{textField("region", MaxNameChars), func(l *learner, v value) { l.Region = v.text }},
	binding[learner]{listField("organisations", TypeTexts, MaxNameChars), func(l *learner, v value) { l.Organisations = v.list }},
	binding[learner]{plainField("minor", TypeBool), func(l *learner, v value) { l.Minor = v.flag }},
	binding[learner]{plainField("consent.personalisation", TypeBool), func(l *learner, v value) {
		if !v.null {
			consentOf(l).Personalisation = v.flag
		}
	}},
	binding[learner]{plainField("consent.exploration", TypeBool), func(l *learner, v value) {
		if !v.null {
			consentOf(l).Exploration = v.flag
		}
	}},
	binding[learner]{plainField("created_at", TypeTime), func(l *learner, v value) { l.CreatedAt = v.time }},
)

func consentOf(l *lectern.Learner) *lectern.Consent {
	if l.Consent == nil {
		l.Consent = &lectern.Consent{}
	}
	return l.Consent
}

// LearnerPatch is a write to one learner's stated facts. With Replace they
// become Learner exactly (consent nil stays unchanged); without it only the
// named Fields change.
type LearnerPatch struct {
	Learner lectern.Learner
	Fields  []string // names as in Fields(Learners); ignored with Replace
	Replace bool
}

// Apply returns base with the patch's fields laid over it.
func (p LearnerPatch) Apply(base lectern.Learner) lectern.Learner {
	if p.Replace {
		return p.Learner
	}
	out := base
	out.ID, out.Consent = p.Learner.ID, p.Learner.Consent
	for _, f := range p.Fields {
		switch f {
		case "anonymous":
			out.Anonymous = p.Learner.Anonymous
		case "interests":
			out.Interests = p.Learner.Interests
		case "goal":
			out.Goal = p.Learner.Goal
		case "weekly_hours":
			out.WeeklyHours = p.Learner.WeeklyHours
		case "preferred_level":
			out.PreferredLevel = p.Learner.PreferredLevel
		case "languages":
			out.Languages = p.Learner.Languages
		case "region":
			out.Region = p.Learner.Region
		case "organisations":
			out.Organisations = p.Learner.Organisations
		case "minor":
			out.Minor = p.Learner.Minor
		case "created_at":
			out.CreatedAt = p.Learner.CreatedAt
		}
	}
	return out
}

// DecodeLearner decodes canonical JSON as a patch of exactly the fields that are
// present; null clears a field. Consent is given whole or not at all.
func DecodeLearner(data []byte) (LearnerPatch, error) { return Decoder{}.Learner(data) }

// Learner decodes canonical JSON.
func (d Decoder) Learner(data []byte) (LearnerPatch, error) {
	return decodeJSON(d, Learners, data, d.LearnerRecord)
}

// LearnerRecord decodes a record.
func (d Decoder) LearnerRecord(rec Record) (LearnerPatch, error) {
	rec, problems := d.withID(rec)
	patch := LearnerPatch{Replace: d.Replace}
	present, more := learnerSchema.read(rec, &patch.Learner)
	problems = append(problems, more...)
	if patch.Learner.Consent != nil {
		for _, f := range []string{"consent.personalisation", "consent.exploration"} {
			if v, _ := rec.Get(f); v == nil {
				problems = append(problems, missing(f, "is required where the other half of consent is given", "true or false"))
			}
		}
	}
	if err := invalid(Learners, problems); err != nil {
		return LearnerPatch{}, err
	}
	if !d.Replace {
		patch.Fields = slices.DeleteFunc(present, func(f string) bool { return f == "id" })
	}
	return patch, nil
}
