package ingest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/lectern-dev/lectern"
)

func noon() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

func ptr[T any](v T) *T { return &v }

func TestCourse(t *testing.T) {
	got, err := DecodeCourse([]byte(`{
		"id":"go-1","title":"  Go ","language":"pt_br","level":"beginner","workload_hours":12.5,
		"instructors":["Ada","Ada","Grace"],"published_at":"2026-01-31","updated_at":"2026-02-01T10:00:00.1234567+01:00",
		"availability":{"status":"unlisted","regions":["DE"]},"stated":{"rating_count":3},"description":null,
		"url":"https://x.test/go","extra":{"k":[1,{"a":"b"}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := lectern.CoursePatch{
		Course: lectern.Course{
			ID: "go-1", Title: "Go", Language: "pt-BR", Level: lectern.LevelBeginner, WorkloadHours: ptr(12.5),
			Instructors: []string{"Ada", "Grace"}, URL: "https://x.test/go",
			PublishedAt:  ptr(time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC)),
			UpdatedAt:    ptr(time.Date(2026, 2, 1, 9, 0, 0, 123456000, time.UTC)),
			Availability: lectern.Availability{Status: lectern.StatusUnlisted, Regions: []string{"DE"}},
			Stated:       lectern.StatedStats{RatingCount: 3},
			Extra:        map[string]json.RawMessage{"k": json.RawMessage(`[1,{"a":"b"}]`)},
		},
		Fields: []lectern.CourseField{
			"title", "language", "level", "workload_hours", "instructors", "published_at", "updated_at",
			"availability.status", "availability.regions", "stated.rating_count", "description", "url", "extra",
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestPatchSetsOnlyWhatIsThere applies a patch over a stored course.
func TestPatchSetsOnlyWhatIsThere(t *testing.T) {
	base := lectern.Course{ID: "a", Title: "T", Description: "D", Skills: []string{"s"}, Availability: lectern.Availability{Status: lectern.StatusRetired, Regions: []string{"DE"}}}
	p, err := DecodeCourse([]byte(`{"id":"a","skills":null,"provider":"P","availability":null}`))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(lectern.Course{ID: "a", Title: "T", Description: "D", Provider: "P"}, p.Apply(base)); diff != "" {
		t.Error(diff)
	}
}

// kindsOf decodes with the kind's decoder.
func decodeAs(kind Kind, d Decoder, data []byte) error {
	var err error
	switch kind {
	case Courses:
		_, err = d.Course(data)
	case Reviews:
		_, err = d.Review(data)
	case Ratings:
		_, err = d.Rating(data)
	case Learners:
		_, err = d.Learner(data)
	case Events:
		_, err = d.Event(data)
	}
	return err
}

func TestRejects(t *testing.T) {
	long := strings.Repeat("x", 600)
	tests := []struct {
		name string
		kind Kind
		in   string
		want []string // field: reason
	}{
		{"unknown fields suggest the nearest", Courses, `{"id":"a","titel":"x","availability":{"statos":"open"}}`, []string{
			`titel: is not a known field; did you mean "title"?`, `availability.statos: is not a known field; did you mean "availability.status"?`,
		}},
		{"every problem at once", Courses, `{"title":7,"level":"hard","workload_hours":-1,"language":"klingon!","skills":["a",3]}`, []string{
			"title: must be a text, not a number", "level: is not a known value", "workload_hours: is out of range",
			"language: is not a BCP 47 language tag", "skills[1]: must be a text", "id: is required",
		}},
		{"ids", Courses, `{"id":"` + strings.Repeat("x", 129) + `","prerequisites":["a\u0007"," b"]}`, []string{
			"id: is 129 bytes long", "prerequisites[0]: contains a control character", "prerequisites[1]: begins or ends with a space",
		}},
		{"itself as prerequisite", Courses, `{"id":"a","prerequisites":["a"]}`, []string{"prerequisites: names the course itself"}},
		{"null id", Courses, `{"id":null}`, []string{"id: is required"}},
		{"null title", Courses, `{"id":"a","title":null}`, []string{"title: is empty"}},
		{"blank title", Courses, `{"id":"a","title":" "}`, []string{"title: is empty"}},
		{"long title", Courses, `{"id":"a","title":"` + long + `"}`, []string{"title: is 600 characters long"}},
		{"hours", Courses, `{"id":"a","workload_hours":10001}`, []string{"workload_hours: is out of range"}},
		{"huge number", Courses, `{"id":"a","workload_hours":1e999}`, []string{"workload_hours: is out of range"}},
		{"times", Courses, `{"id":"a","published_at":"31.1.2026","updated_at":"0001-01-01"}`, []string{
			"published_at: is not a time", "updated_at: lies outside the years 1900 to 9999",
		}},
		{"window", Courses, `{"id":"a","availability":{"enrol_from":"2026-02-01","enrol_until":"2026-01-01"}}`, []string{"availability.enrol_until: lies before enrol_from"}},
		{"script address", Courses, `{"id":"a","url":"javascript:alert(1)"}`, []string{"url: is not an absolute web address"}},
		{"group of the wrong type", Courses, `{"id":"a","stated":3}`, []string{"stated: must be an object"}},
		{"dotted key", Courses, `{"id":"a","stated.enrolments":3}`, []string{"stated.enrolments: is not a known field; nested fields are nested objects"}},
		{"twice", Courses, `{"id":"a","title":"b","title":"c"}`, []string{"title: is given twice"}},
		{"NUL", Courses, `{"id":"a","title":"b\u0000c"}`, []string{"title: contains a NUL character"}},
		{"fraction", Courses, `{"id":"a","stated":{"enrolments":1.5}}`, []string{"stated.enrolments: is not a whole number"}},
		{"invalid UTF-8 names its field", Courses, "{\"id\":\"a\",\"title\":\"b\xff\"}", []string{"title: is not valid UTF-8"}},
		{"empty review", Reviews, `{"course_id":"c"}`, []string{"text: is required where there are no stars"}},
		{"stars", Reviews, `{"course_id":"c","stars":5.5,"helpful":-1}`, []string{"stars: is out of range", "helpful: is out of range"}},
		{"rating", Ratings, `{"stars":0,"day":"yesterday","occurrence":0}`, []string{
			"stars: is out of range", "day: is not a time", "occurrence: is out of range", "course_id: is required",
		}},
		{"half a consent", Learners, `{"id":"l","consent":{"personalisation":false}}`, []string{"consent.exploration: is required where the other half of consent is given"}},
		{"learner", Learners, `{"id":"l","weekly_hours":200,"languages":["xx-"],"updated_at":"2026-01-01"}`, []string{
			"weekly_hours: is out of range", "languages[0]: is not a BCP 47 language tag", "updated_at: is set by the server",
		}},
		{"event of nobody about nothing", Events, `{"id":"e","type":"click","occurred_at":"2026-03-01T12:00:00Z"}`, []string{
			"learner_id: is required where there is no anonymous_id", "course_id: is required for every event but search",
		}},
		{"event type", Events, `{"id":"e","type":"enroll","learner_id":"l","course_id":"c","occurred_at":"2026-03-01"}`, []string{`type: is not a known value; did you mean "enrol"?`}},
		{"event from the future", Events, `{"id":"e","type":"click","learner_id":"l","course_id":"c","occurred_at":"2026-03-02T12:00:01Z"}`, []string{"occurred_at: lies more than 24 hours in the future"}},
		{"progress", Events, `{"id":"e","type":"progress","learner_id":"l","course_id":"c","occurred_at":"2026-03-01","value":1.5}`, []string{"value: is out of range for progress"}},
		{"rate without value", Events, `{"id":"e","type":"rate","learner_id":"l","course_id":"c","occurred_at":"2026-03-01"}`, []string{"value: is required for rate"}},
		{"view with value", Events, `{"id":"e","type":"view","learner_id":"l","course_id":"c","occurred_at":"2026-03-01","value":1}`, []string{"value: has no meaning for view"}},
		{"search without query", Events, `{"id":"e","type":"search","anonymous_id":"v","occurred_at":"2026-03-01"}`, []string{"query: is required for search"}},
		{"properties", Events, `{"id":"e","type":"view","learner_id":"l","course_id":"c","occurred_at":"2026-03-01","properties":[1],"position":-1,"surface":"moon"}`, []string{
			"properties: must be an object, not a list", "position: is out of range", "surface: is not a known value",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := decodeAs(tt.kind, Decoder{Clock: noon}, []byte(tt.in))
			e, ok := errors.AsType[*lectern.Error](err)
			if !ok {
				t.Fatalf("error %v", err)
			}
			var got []string
			for _, f := range e.Fields {
				got = append(got, f.Field+": "+f.Reason)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			wantCode := lectern.CodeInvalid
			if !slices.ContainsFunc(tt.want, func(s string) bool { return !strings.Contains(s, reasonUnknown) }) {
				wantCode = lectern.CodeUnknownField
			}
			if e.Code != wantCode {
				t.Errorf("code %s, want %s", e.Code, wantCode)
			}
		})
	}
}

// What a message says is allowed is what is: by the event's type, and in English.
func TestAllowed(t *testing.T) {
	event := func(kind, value string) string {
		return `{"id":"e","type":"` + kind + `","learner_id":"l","course_id":"c","occurred_at":"2026-03-01","value":` + value + `}`
	}
	for _, tt := range []struct {
		kind     Kind
		in, want string
	}{
		{Events, event("progress", "7"), "a number from 0 to 1"},
		{Events, event("progress", "80"), "a number from 0 to 1"},
		{Events, event("progress", `"half"`), "a number from 0 to 1"},
		{Events, event("rate", "7"), "a number from 1 to 5"},
		{Events, event("view", "80"), "a value for progress (0 to 1) or rate (1 to 5) only"},
		{Reviews, `{"course_id":"c","stars":6}`, "a number of stars from 1 to 5"},
		{Courses, `{"id":"c","workload_hours":-1}`, "a number from 0 to 10000"},
		{Courses, `{"id":"c","stated":{"enrolments":-1}}`, "a whole number from 0 to 2000000000"},
	} {
		e, ok := errors.AsType[*lectern.Error](decodeAs(tt.kind, Decoder{Clock: noon}, []byte(tt.in)))
		if !ok || len(e.Fields) != 1 || e.Fields[0].Allowed != tt.want {
			t.Errorf("%s: %+v, want allowed %q", tt.in, e, tt.want)
		}
	}
	_, err := Decoder{Noun: "the body"}.Course([]byte("[]"))
	if err == nil || !strings.Contains(err.Error(), "the body must be a JSON object") {
		t.Errorf("with a noun: %v", err)
	}
}

func TestLanguageTag(t *testing.T) {
	const no = "is not a BCP 47 language tag"
	for in, want := range map[string][2]string{
		"en":        {"en", ""},
		"EN-gb":     {"en-GB", ""},
		"eng":       {"en", ""},
		"zh_CN":     {"zh-CN", ""},
		"english":   {"", no + `; did you mean "en"?`},
		"Deutsch":   {"", no + `; did you mean "de"?`},
		"español":   {"", no + `; did you mean "es"?`},
		"portugese": {"", no + `; did you mean "pt"?`},
		"klingon!":  {"", no},
		"xx":        {"", no},
		"und":       {"", no},
		"":          {"", no},
	} {
		tag, reason := LanguageTag(in)
		if got := [2]string{tag, reason}; got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestNotOneObject(t *testing.T) {
	for in, want := range map[string]string{
		"":                   "not complete JSON",
		"{":                  "not complete JSON",
		`[{"id":"a"}]`:       "must be a JSON object",
		`"a"`:                "must be a JSON object",
		`{"id":"a"}{}`:       "more than one",
		`{"id":"a"} x`:       "more than one",
		`{"id":'a'}`:         "the row is not valid JSON at byte 7",
		`{"id":"a",}`:        "the row is not valid JSON at byte 11",
		`not json`:           "the row is not valid JSON at byte 2",
		"{\"id\":\"a\xff\"}": "not valid UTF-8 at byte 9",
	} {
		if _, err := DecodeCourse([]byte(in)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", in, err, want)
		}
	}
}

func TestTooManyFields(t *testing.T) {
	var b strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&b, `"k%d":0,`, i)
	}
	_, err := DecodeCourse([]byte("{" + b.String() + `"id":"a"}`))
	if lectern.ErrorCode(err) != lectern.CodeTooLarge {
		t.Errorf("error %v", err)
	}
}

func TestIDOfTheAddress(t *testing.T) {
	d := Decoder{ID: "a", Replace: true}
	p, err := d.Course([]byte(`{"title":"T"}`))
	if err != nil || p.Course.ID != "a" || !p.Replace || p.Fields != nil {
		t.Errorf("%+v, %v", p, err)
	}
	if _, err := d.Course([]byte(`{"id":"b","title":"T"}`)); err == nil || !strings.Contains(err.Error(), "contradicts the address") {
		t.Errorf("another id: %v", err)
	}
	if _, err := d.Course([]byte(`{}`)); err == nil || !strings.Contains(err.Error(), "title: is required") {
		t.Errorf("replaced without a title: %v", err)
	}
}

func TestReviewID(t *testing.T) {
	a, err := DecodeReview([]byte(`{"course_id":"c","learner_id":"l","text":"good","stars":4.44}`))
	if err != nil || *a.Stars != 4.4 {
		t.Fatalf("%+v, %v", a, err)
	}
	b, _ := DecodeReview([]byte(`{"text":"good","learner_id":"l","course_id":"c"}`))
	if a.ID == "" || a.ID != b.ID {
		t.Errorf("ids %q and %q of the same review", a.ID, b.ID)
	}
	c, _ := DecodeReview([]byte(`{"course_id":"cl","text":"good"}`))
	d, _ := DecodeReview([]byte(`{"course_id":"c","learner_id":"l","text":"good","source":"s"}`))
	if c.ID == a.ID || d.ID == a.ID || c.ID == d.ID {
		t.Error("different reviews share an id")
	}
}

func TestOccurrences(t *testing.T) {
	day := noon().Truncate(24 * time.Hour)
	r := lectern.Rating{CourseID: "c", Day: day, Stars: 5}
	other, given := r, r
	other.Stars, given.Occurrence = 4.5, 9
	o := NewOccurrences()
	first, second := []lectern.Rating{r, other, r}, []lectern.Rating{given, r, other}
	o.Number(first)
	o.Number(second)
	var got []int
	for _, x := range append(first, second...) {
		got = append(got, x.Occurrence)
	}
	if diff := cmp.Diff([]int{1, 1, 2, 9, 3, 2}, got); diff != "" {
		t.Error(diff)
	}
}

// TestLearnerPatch lays a patch over a learner and leaves the rest.
func TestLearnerPatch(t *testing.T) {
	base := lectern.Learner{ID: "l", Goal: "nurse", Region: "DE", Consent: &lectern.Consent{}}
	p, err := DecodeLearner([]byte(`{"id":"l","interests":["care"],"region":null}`))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(lectern.Learner{ID: "l", Goal: "nurse", Interests: []string{"care"}}, p.Apply(base)); diff != "" {
		t.Error(diff) // consent nil means unchanged
	}
}

// TestRoundTrip: what the domain writes as JSON is read back as it was.
func TestRoundTrip(t *testing.T) {
	word := rapid.StringMatching(`[a-zé一-三]{1,8}`)
	rapid.Check(t, func(rt *rapid.T) {
		c := lectern.Course{
			ID: word.Draw(rt, "id"), Title: word.Draw(rt, "title"), Description: word.Draw(rt, "description"),
			Level:         rapid.SampledFrom(lectern.Levels()).Draw(rt, "level"),
			Skills:        rapid.SliceOfNDistinct(word, 1, 5, rapid.ID[string]).Draw(rt, "skills"),
			WorkloadHours: ptr(rapid.Float64Range(0, MaxHours).Draw(rt, "hours")),
			PublishedAt:   ptr(lectern.Timestamp(time.UnixMicro(rapid.Int64Range(0, 4e15).Draw(rt, "at")))),
			Availability:  lectern.Availability{Status: rapid.SampledFrom(lectern.Statuses()).Draw(rt, "status")},
			Stated:        lectern.StatedStats{Enrolments: rapid.IntRange(1, MaxCount).Draw(rt, "n")},
		}
		data, err := json.Marshal(c)
		if err != nil {
			rt.Fatal(err)
		}
		p, err := DecodeCourse(data)
		if err != nil {
			rt.Fatal(err)
		}
		if diff := cmp.Diff(c, p.Apply(lectern.Course{})); diff != "" {
			rt.Fatal(diff)
		}
		rec, err := ParseRecord(Courses, data)
		if err != nil {
			rt.Fatal(err)
		}
		again, err := json.Marshal(rec)
		if err != nil {
			rt.Fatal(err)
		}
		q, err := DecodeCourse(again)
		if diff := cmp.Diff(p, q); diff != "" || err != nil {
			rt.Fatal(diff, err)
		}
	})
}

// TestSchemasCoverTheDomain: every field that a patch can name can be decoded.
func TestSchemasCoverTheDomain(t *testing.T) {
	names := FieldNames(Courses)
	for _, f := range lectern.CourseFields() {
		if !slices.Contains(names, string(f)) {
			t.Errorf("courses: no field %s", f)
		}
	}
	for _, kind := range Kinds() {
		for _, f := range Fields(kind) {
			if f.describe() == "" {
				t.Errorf("%s.%s does not say what it accepts", kind, f.Name)
			}
		}
	}
	if _, err := ParseKind("course"); err == nil || !strings.Contains(err.Error(), `did you mean "courses"?`) {
		t.Errorf("ParseKind: %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(0, []byte(`{"id":"a","title":"b","availability":{"status":"open"},"extra":{"k":1}}`))
	f.Add(1, []byte(`{"course_id":"c","text":"\ud800","stars":4}`))
	f.Add(2, []byte(`{"course_id":"c","day":"2026-01-01","stars":4.25}`))
	f.Add(3, []byte(`{"id":"l","consent":null,"languages":["en",null]}`))
	f.Add(4, []byte(`{"id":"e","type":"rate","value":5,"properties":{}}`))
	f.Fuzz(func(t *testing.T, kind int, data []byte) {
		k := Kinds()[(kind%5+5)%5]
		err := decodeAs(k, Decoder{Clock: noon}, data)
		if _, ok := errors.AsType[*lectern.Error](err); err != nil && !ok {
			t.Errorf("error without a code: %v", err)
		}
		if k == Courses && err == nil {
			p, _ := DecodeCourse(data)
			if p.Course.ID == "" || len(p.Course.ID) > lectern.MaxIDBytes {
				t.Errorf("accepted id %q", p.Course.ID)
			}
		}
	})
}

// FuzzRecord: the record holds what encoding/json reads.
func FuzzRecord(f *testing.F) {
	for _, s := range []string{`{"a":1,"b":[{"c":"}"}],"d":{"e":"\\""} , "f" : null}`, `{}`, ` { "a":-1.5e3}`, `{"\u0061":"\ud83d\ude00"}`, `{"a":true,"b":false}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		rec, err := ParseRecord(Ratings, data) // a kind without nested objects
		if err != nil {
			return
		}
		want := map[string]any{}
		dec := json.NewDecoder(bytes.NewReader(data))
		dec.UseNumber()
		if err := dec.Decode(&want); err != nil {
			t.Fatal(err)
		}
		got := map[string]any{}
		for _, fv := range rec {
			if raw, ok := fv.Value.(json.RawMessage); ok {
				var v map[string]any
				d := json.NewDecoder(bytes.NewReader(raw))
				d.UseNumber()
				if err := d.Decode(&v); err != nil {
					t.Fatal(err)
				}
				fv.Value = v
			}
			got[fv.Field] = fv.Value
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Error(diff)
		}
	})
}

func BenchmarkDecodeEvent(b *testing.B) {
	data := []byte(`{"id":"0b8f3a52-1","type":"click","learner_id":"l-1","course_id":"c-1","occurred_at":"2026-03-01T11:00:00Z","ranking_id":"r-1","position":3,"surface":"home","session_id":"s-1"}`)
	d := Decoder{Clock: noon}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Event(data); err != nil {
			b.Fatal(err)
		}
	}
}

func ExampleDecodeCourse() {
	_, err := DecodeCourse([]byte(`{"id":"go-1","titel":"Go","level":"easy"}`))
	e, _ := errors.AsType[*lectern.Error](err)
	for _, f := range e.Fields {
		fmt.Println(f.Field, f.Reason)
	}
	// Output:
	// titel is not a known field; did you mean "title"?
	// level is not a known value
}
