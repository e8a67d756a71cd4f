package feedback

import (
	"time"

	"github.com/lectern-dev/lectern"
)

// Document is one thing that somebody said, as the HTTP interface and the command line
// show it.
type Document struct {
	ID            string               `json:"id"`
	Kind          lectern.FeedbackKind `json:"kind"`
	CourseID      string               `json:"course_id"`
	At            time.Time            `json:"at"`
	Until         *time.Time           `json:"until,omitempty"`
	Reason        lectern.ReportReason `json:"reason,omitempty"`
	Comment       string               `json:"comment,omitempty"`
	RankingID     string               `json:"ranking_id,omitempty"`
	Position      *int                 `json:"position,omitempty"`
	Surface       lectern.Surface      `json:"surface,omitempty"`
	Row           lectern.Row          `json:"row,omitempty"`
	Term          string               `json:"term,omitempty"`
	ConfigVersion string               `json:"config_version,omitempty"`
	Holds         bool                 `json:"holds"`
}

// DocumentOf shows one thing that was said; holds is whether it counts in lists.
func DocumentOf(f lectern.Feedback, holds bool) Document {
	return Document{
		ID: f.ID, Kind: f.Kind, CourseID: f.CourseID, At: f.At, Until: f.Until, Reason: f.Reason, Comment: f.Comment,
		RankingID: f.RankingID, Position: f.Position, Surface: f.Surface, Row: f.Row, Term: f.Term,
		ConfigVersion: f.ConfigVersion, Holds: holds,
	}
}
