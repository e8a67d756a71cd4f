package storetest

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lectern-dev/lectern"
)

// fullCourse has every field set.
func fullCourse(id string) lectern.Course {
	return lectern.Course{
		ID: id, Title: "Machine learning", Description: "Line one.\nLine two.", Language: "pt-BR",
		Provider: "Open University", Instructors: []string{"Ada", "Grace"},
		Categories: []string{"Data", "AI"}, Skills: []string{"python", "statistics"},
		Level: lectern.LevelAdvanced, WorkloadHours: ptr(12.5), Syllabus: []string{"Week 1", "Week 2"},
		Prerequisites: []string{"p1", "p2"},
		PublishedAt:   ptr(noon1), UpdatedAt: ptr(noon1.Add(time.Hour)),
		Availability: lectern.Availability{
			Status: lectern.StatusUnlisted, EnrolFrom: ptr(day1), EnrolUntil: ptr(day1.AddDate(0, 1, 0)),
			Regions: []string{"DE", "FR"}, Organisations: []string{"org1"},
		},
		URL: "https://example.org/c", ImageURL: "https://example.org/c.png",
		Stated: lectern.StatedStats{RatingMean: 4.7, RatingCount: 12, Enrolments: 3400},
		Extra:  map[string]json.RawMessage{"a": json.RawMessage(`{"x":[1,2]}`), "b": json.RawMessage(`"text"`)},
	}
}

func testCoursePutAndRead(t *testing.T, s Store) {
	ctx := t.Context()
	put := must[[]lectern.WriteResult](t)
	wantOutcomes(t, put(s.PutCourses(ctx, replace(fullCourse("c"), newCourse("d")))),
		lectern.OutcomeCreated, lectern.OutcomeCreated)
	got := must[[]lectern.Course](t)(s.Courses(ctx, []string{"c", "d"}))
	equal(t, "courses", got, []lectern.Course{fullCourse("c"), newCourse("d")})

	wantOutcomes(t, put(s.PutCourses(ctx, replace(fullCourse("c")))), lectern.OutcomeUnchanged)

	// Times are kept to the microsecond in UTC, and no status means open.
	odd := newCourse("d")
	odd.Availability.Status = ""
	odd.PublishedAt = ptr(time.Date(2026, 1, 1, 2, 0, 0, 1_234_567, time.FixedZone("", 7200)))
	wantOutcomes(t, put(s.PutCourses(ctx, replace(odd))), lectern.OutcomeUpdated)
	want := newCourse("d")
	want.PublishedAt = ptr(time.Date(2026, 1, 1, 0, 0, 0, 1_234_000, time.UTC))
	equal(t, "courses", must[[]lectern.Course](t)(s.Courses(ctx, []string{"d"})), []lectern.Course{want})
	wantOutcomes(t, put(s.PutCourses(ctx, replace(odd))), lectern.OutcomeUnchanged)

	// In one batch the second patch sees the first.
	wantOutcomes(t, put(s.PutCourses(ctx, replace(newCourse("e"), newCourse("e"), odd))),
		lectern.OutcomeCreated, lectern.OutcomeUnchanged, lectern.OutcomeUnchanged)
}

func testCoursePatch(t *testing.T, s Store) {
	ctx := t.Context()
	put := must[[]lectern.WriteResult](t)
	put(s.PutCourses(ctx, replace(fullCourse("c"))))
	patch := lectern.CoursePatch{
		Course: lectern.Course{
			ID: "c", Title: "ignored", Level: lectern.LevelMixed,
			Availability: lectern.Availability{Regions: []string{"US"}},
			Extra:        map[string]json.RawMessage{"b": json.RawMessage(`2`)},
		},
		Fields: []lectern.CourseField{lectern.FieldLevel, lectern.FieldRegions, lectern.FieldExtra, lectern.FieldWorkloadHours},
	}
	wantOutcomes(t, put(s.PutCourses(ctx, []lectern.CoursePatch{patch, patch})),
		lectern.OutcomeUpdated, lectern.OutcomeUnchanged)
	want := fullCourse("c")
	want.Level, want.Availability.Regions, want.WorkloadHours = lectern.LevelMixed, []string{"US"}, nil
	want.Extra["b"] = json.RawMessage(`2`)
	equal(t, "course", must[[]lectern.Course](t)(s.Courses(ctx, []string{"c"})), []lectern.Course{want})

	created := lectern.CoursePatch{Course: lectern.Course{ID: "n", Title: "New"}, Fields: []lectern.CourseField{lectern.FieldTitle}}
	wantOutcomes(t, put(s.PutCourses(ctx, []lectern.CoursePatch{created})), lectern.OutcomeCreated)
}

func testCourseReject(t *testing.T, s Store) {
	ctx := t.Context()
	longest := strings.Repeat("é", lectern.MaxIDBytes/2)
	badLevel := newCourse("x")
	badLevel.Level = "expert"
	badStatus := newCourse("x")
	badStatus.Availability.Status = "gone"
	badExtra := newCourse("x")
	badExtra.Extra = map[string]json.RawMessage{"k": json.RawMessage(`{`)}
	results := must[[]lectern.WriteResult](t)(s.PutCourses(ctx, []lectern.CoursePatch{
		{Course: newCourse("first"), Replace: true},
		{Course: lectern.Course{ID: "untitled", Level: lectern.LevelMixed}, Fields: []lectern.CourseField{lectern.FieldLevel}},
		{Course: lectern.Course{ID: "untitled", Title: "  "}, Replace: true},
		{Course: newCourse(""), Replace: true},
		{Course: newCourse(longest + "x"), Replace: true},
		{Course: newCourse("\xff"), Replace: true},
		{Course: badLevel, Replace: true},
		{Course: badStatus, Replace: true},
		{Course: badExtra, Replace: true},
		{Course: newCourse(longest), Replace: true},
	}))
	want := append([]lectern.WriteOutcome{lectern.OutcomeCreated}, repeat(lectern.OutcomeRejected, 8)...)
	wantOutcomes(t, results, append(want, lectern.OutcomeCreated)...)
	for _, r := range results[1:9] {
		wantCode(t, r.Err, lectern.CodeInvalid)
	}
	if st := must[lectern.StoreStats](t)(s.Stats(ctx)); st.Courses != 2 {
		t.Errorf("%d courses, want the two good ones", st.Courses)
	}
}

func testCoursesOrder(t *testing.T, s Store) {
	putCourses(t, s, "a", "b", "c")
	got := must[[]lectern.Course](t)(s.Courses(t.Context(), []string{"c", "none", "a", "c"}))
	var ids []string
	for _, c := range got {
		ids = append(ids, c.ID)
	}
	equal(t, "ids", ids, []string{"c", "a", "c"})
}

func testCourseScan(t *testing.T, s Store) {
	var want []string
	for i := range 7 {
		want = append(want, fmt.Sprintf("c%d", i))
	}
	putCourses(t, s, want...)
	for _, limit := range []int{1, 3, 7, 100} {
		var got []string
		for after := int64(0); ; {
			cs, next, err := s.ScanCourses(t.Context(), after, limit)
			ok(t, err)
			for _, c := range cs {
				got = append(got, c.ID)
			}
			if next == 0 {
				break
			}
			after = next
		}
		equal(t, fmt.Sprintf("scan by %d", limit), got, want)
	}
}

func testCourseDelete(t *testing.T, s Store) {
	ctx := t.Context()
	putCourses(t, s, "a", "b")
	must[[]lectern.WriteResult](t)(s.PutReviews(ctx, []lectern.Review{{ID: "r", CourseID: "a", Text: "good", Stars: ptr(5.0)}}))
	must[[]lectern.WriteResult](t)(s.PutRatings(ctx, []lectern.Rating{{CourseID: "a", Day: day1, Stars: 5, Occurrence: 1}}))
	appendEvents(t, s, click("e", "l", "a", noon1))
	_, after := changes(t, s, 0)

	equal(t, "deleted", must[int](t)(s.DeleteCourses(ctx, []string{"a", "a", "none"})), 1)
	equal(t, "deleted again", must[int](t)(s.DeleteCourses(ctx, []string{"a"})), 0)
	feed, _ := changes(t, s, after)
	equal(t, "feed", feed, []string{"a deleted"})
	st := must[lectern.StoreStats](t)(s.Stats(ctx))
	if st.Courses != 1 || st.Reviews != 0 || st.Ratings != 0 || st.Events != 1 || st.ParkedEvents != 1 {
		t.Errorf("after deleting: %+v", st)
	}
	// Deleting stays deleted for what was parked on the course, too.
	putCourses(t, s, "a")
	if got := statsOf(t, s, "a"); got.RatingCount != 0 || got.ReviewCount != 0 || got.Activity[lectern.EventClick] == 0 {
		t.Errorf("statistics of a course that came back: %+v", got)
	}
}

func testRetireMissing(t *testing.T, s Store) {
	ctx := t.Context()
	putCourses(t, s, "a", "b", "c", "d")
	hidden := newCourse("d")
	hidden.Availability.Status = lectern.StatusUnlisted
	must[[]lectern.WriteResult](t)(s.PutCourses(ctx, replace(hidden)))
	_, after := changes(t, s, 0)

	_, err := s.RetireMissing(ctx, []string{"a", "b"}, 0.49)
	wantCode(t, err, lectern.CodeRefused)
	if feed, _ := changes(t, s, after); len(feed) > 0 {
		t.Errorf("a refusal changed %v", feed)
	}
	equal(t, "retired", must[int](t)(s.RetireMissing(ctx, []string{"a", "b", "none"}, 0.5)), 2)
	feed, _ := changes(t, s, after)
	equal(t, "feed", feed, []string{"c course", "d course"})
	for _, c := range must[[]lectern.Course](t)(s.Courses(ctx, []string{"c", "d"})) {
		equal(t, c.ID, c.Availability.Status, lectern.StatusRetired)
	}
	equal(t, "retired again", must[int](t)(s.RetireMissing(ctx, []string{"a", "b"}, 0)), 0)
	equal(t, "all", must[int](t)(s.RetireMissing(ctx, nil, 1)), 2)
}

func testCourseFeed(t *testing.T, s Store) {
	ctx := t.Context()
	putCourses(t, s, "a", "b")
	feed, after := changes(t, s, 0)
	equal(t, "feed", feed, []string{"a course", "b course"})
	equal(t, "last change", must[lectern.StoreStats](t)(s.Stats(ctx)).LastChange, after)

	must[[]lectern.WriteResult](t)(s.PutCourses(ctx, replace(newCourse("a"))))
	if feed, _ := changes(t, s, after); len(feed) > 0 {
		t.Errorf("an unchanged course shows in the feed: %v", feed)
	}
	must[[]lectern.WriteResult](t)(s.PutCourses(ctx, replace(fullCourse("a"))))
	must[[]lectern.WriteResult](t)(s.PutRatings(ctx, []lectern.Rating{
		{CourseID: "b", Day: day1, Stars: 4, Occurrence: 1},
		{CourseID: "unknown", Day: day1, Stars: 4, Occurrence: 1},
	}))
	feed, after = changes(t, s, after)
	equal(t, "feed", feed, []string{"a course", "b stats"})

	must[[]lectern.WriteResult](t)(s.PutReviews(ctx, []lectern.Review{{ID: "r", CourseID: "a", Text: "x"}}))
	must[[]lectern.WriteResult](t)(s.PutReviews(ctx, []lectern.Review{{ID: "r", CourseID: "b", Text: "x"}}))
	feed, after = changes(t, s, after)
	equal(t, "feed after a review moved", len(feed), 2)
	ok(t, s.DeleteReview(ctx, "r"))
	feed, _ = changes(t, s, after)
	equal(t, "feed", feed, []string{"b stats"})
}

func testCourseJobs(t *testing.T, s Store) {
	ctx := t.Context()
	pending := func() int64 { return must[lectern.StoreStats](t)(s.Stats(ctx)).PendingJobs }
	cs := make([]lectern.Course, lectern.MaxEmbedBatch+1)
	for i := range cs {
		cs[i] = newCourse(fmt.Sprintf("c%d", i))
	}
	must[[]lectern.WriteResult](t)(s.PutCourses(ctx, replace(cs...)))
	equal(t, "jobs after creating one more than a batch", pending(), int64(2))
	must[[]lectern.WriteResult](t)(s.PutCourses(ctx, replace(cs...)))
	equal(t, "jobs after changing nothing", pending(), int64(2))
	cs[0].URL = "https://example.org/moved"
	must[[]lectern.WriteResult](t)(s.PutCourses(ctx, replace(cs[0])))
	equal(t, "jobs after a change outside the text", pending(), int64(2))
	cs[0].Description = "about something else"
	must[[]lectern.WriteResult](t)(s.PutCourses(ctx, replace(cs[0])))
	equal(t, "jobs after a change of text", pending(), int64(3))
}

func testTextSurvives(t *testing.T, s Store) {
	ctx := t.Context()
	c := newCourse("مقدمة-🎓")
	c.Title = "مقدمة في تعلم الآلة 🎓👩‍💻"
	c.Description = "quotes ' \" \\ and tabs\t\r\nnewlines, combining e\u0301, NBSP\u00a0, 漢字"
	c.Skills = []string{"", "a;b", "[\"json\"]", "🎲"}
	must[[]lectern.WriteResult](t)(s.PutCourses(ctx, replace(c)))
	equal(t, "course", must[[]lectern.Course](t)(s.Courses(ctx, []string{c.ID})), []lectern.Course{c})
	must[[]lectern.WriteResult](t)(s.PutReviews(ctx, []lectern.Review{{ID: "مراجعة", CourseID: c.ID, LearnerID: "ليلى 🌙", Text: c.Title}}))
	rs := must[[]lectern.Review](t)(s.Reviews(ctx, c.ID, "", 5))
	equal(t, "reviews", rs, []lectern.Review{{ID: "مراجعة", CourseID: c.ID, LearnerID: "ليلى 🌙", Text: c.Title}})
	must[[]lectern.WriteResult](t)(s.PutRatings(ctx, []lectern.Rating{{Source: "مصدر \"x\"", CourseID: c.ID, Day: day1, Stars: 4.5, Occurrence: 2}}))
	equal(t, "ratings", statsOf(t, s, c.ID).RatingCount, 2)
}

func testCountCourses(t *testing.T, s Store) {
	ctx := t.Context()
	equal(t, "none", must[int](t)(s.CountCourses(ctx)), 0)
	hidden := newCourse("hidden")
	hidden.Availability.Status = lectern.StatusUnlisted
	must[[]lectern.WriteResult](t)(s.PutCourses(ctx, replace(newCourse("a"), hidden, newCourse("retired"))))
	must[[]lectern.WriteResult](t)(s.PutReviews(ctx, []lectern.Review{{ID: "r", CourseID: "unknown", Text: "x"}}))
	equal(t, "all", must[int](t)(s.CountCourses(ctx)), 3)
	must[int](t)(s.RetireMissing(ctx, []string{"a", "hidden"}, 1))
	equal(t, "open or unlisted", must[int](t)(s.CountCourses(ctx)), 2)
}
