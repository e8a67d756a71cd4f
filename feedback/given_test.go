package feedback_test

import (
	"strings"
	"testing"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/feedback"
)

// An id stands for one thing said: something else under it is no correction.
func TestOneIDForOneThing(t *testing.T) {
	d := newDesk(t, nil)
	said := d.say(ada, feedback.Given{ID: "1", Kind: lectern.FeedbackNotNow, CourseID: "a"})
	for _, other := range []feedback.Given{
		{ID: "1", Kind: lectern.FeedbackMore, CourseID: "a"},
		{ID: "1", Kind: lectern.FeedbackNotNow, CourseID: "b"},
	} {
		_, _, err := d.Say(t.Context(), ada, other)
		if lectern.ErrorCode(err) != lectern.CodeConflict || !strings.Contains(err.Error(), `not_now about "a"`) {
			t.Errorf("%+v: %v", other, err)
		}
	}
	kept, err := d.Said(t.Context(), ada)
	if err != nil || len(kept) != 1 || kept[0].CourseID != said.CourseID || kept[0].Kind != said.Kind {
		t.Errorf("kept %+v, %v", kept, err)
	}
	d.say(ada, feedback.Given{ID: "1", Kind: lectern.FeedbackNotNow, CourseID: "a", Days: ptr(3)}) // corrected
}
