package api

import (
	"net/http"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/ingest"
)

// decoder checks a body whose id is the path's.
func (s *Server) decoder(in *request, replace bool) (ingest.Decoder, error) {
	id, err := pathParam(in, "id")
	return ingest.Decoder{ID: id, Replace: replace, Clock: s.deps.Clock, Noun: "the body"}, err
}

// decodeOnly says what the decoder of this route objects to, if anything.
func (s *Server) decodeOnly(in *request) error {
	d := ingest.Decoder{Clock: s.deps.Clock, Noun: "the body"}
	if in.route.path != "/v1/events" {
		var err error
		if d, err = s.decoder(in, in.route.method == http.MethodPut); err != nil {
			return nil //nolint:nilerr // not the body's fault; the handler reports it
		}
	}
	var err error
	switch in.route.path {
	case "/v1/courses/{id}":
		_, err = d.Course(in.body)
	case "/v1/reviews/{id}":
		_, err = d.Review(in.body)
	case "/v1/learners/{id}":
		_, err = d.Learner(in.body)
	case "/v1/events":
		switch in.body[0] {
		case '{':
			_, err = d.Event(in.body)
		case '[': // its events are judged one by one: all that can be wrong here is that there are none
			err = wrongBody("has no events", "at least one event")
		default:
			err = wrongBody("must be a JSON object or an array of them", "an event, or an array of events")
		}
	}
	return err
}

// wrongBody is what is wrong with a body as a whole.
func wrongBody(reason, allowed string) error {
	return lectern.Invalid("the body "+reason, lectern.FieldError{Field: fieldBody, Reason: reason, Allowed: allowed})
}

// written answers a single write.
func (s *Server) written(in *request, kind ingest.Kind, id string, results []lectern.WriteResult) error {
	r := results[0]
	s.metrics.row(string(kind), r.Outcome)
	if r.Err != nil {
		return r.Err
	}
	return respond(in, outcomeStatus(r.Outcome), writtenDTO{ID: id, Outcome: r.Outcome})
}

// outcomeStatus is the status that a write with this outcome answers with.
func outcomeStatus(o lectern.WriteOutcome) int {
	switch o {
	case lectern.OutcomeCreated:
		return http.StatusCreated
	case lectern.OutcomeParked:
		return http.StatusAccepted
	}
	return http.StatusOK
}

// courseFor returns a course that this caller may see.
func (s *Server) courseFor(in *request, id string) (lectern.Course, error) {
	found, err := s.deps.Courses.Courses(in.ctx(), []string{id})
	if err != nil {
		return lectern.Course{}, err
	}
	if len(found) == 0 || (!in.caller.trusted() && len(found[0].Availability.Organisations) > 0) {
		return lectern.Course{}, notFound("course", id)
	}
	return found[0], nil
}

func notFound(what, id string) error {
	return &lectern.Error{Code: lectern.CodeNotFound, Message: "there is no such " + what,
		Fields: []lectern.FieldError{lectern.NewFieldError("id", id, "is not known", "")}}
}

func (s *Server) getCourse(in *request) error {
	id, err := pathParam(in, "id")
	if err != nil {
		return err
	}
	c, err := s.courseFor(in, id)
	if err != nil {
		return err
	}
	return respond(in, http.StatusOK, courseOf(c))
}

func (s *Server) putCourse(in *request) error {
	d, err := s.decoder(in, true)
	if err != nil {
		return err
	}
	return s.writeCourse(in, d)
}

func (s *Server) patchCourse(in *request) error {
	d, err := s.decoder(in, false)
	if err != nil {
		return err
	}
	found, err := s.deps.Courses.Courses(in.ctx(), []string{d.ID})
	if err != nil {
		return err
	}
	if len(found) == 0 { // a batch creates; one patch more likely has a wrong id
		return notFound("course", d.ID)
	}
	return s.writeCourse(in, d)
}

func (s *Server) writeCourse(in *request, d ingest.Decoder) error {
	patch, err := d.Course(in.body)
	if err != nil {
		return err
	}
	results, err := s.deps.Ingest.PutCourses(in.ctx(), []lectern.CoursePatch{patch})
	if err != nil {
		return err
	}
	return s.written(in, ingest.Courses, d.ID, results)
}

func (s *Server) deleteCourse(in *request) error {
	id, err := pathParam(in, "id")
	if err != nil {
		return err
	}
	n, err := s.deps.Courses.DeleteCourses(in.ctx(), []string{id})
	if err != nil {
		return err
	}
	if n == 0 {
		return notFound("course", id)
	}
	return in.NoContent(http.StatusNoContent)
}

// listCourses pages through the catalogue. What a caller may not see is left
// out, and the page filled up from what follows.
func (s *Server) listCourses(in *request) error {
	of := "courses"
	cur, err := parsePageCursor(in.QueryParam("cursor"), of)
	if err != nil {
		return err
	}
	limit := s.pageLimit(in)
	page := coursePageDTO{Courses: make([]courseDTO, 0, limit)}
	after := cur.After
	for len(page.Courses) < limit {
		found, next, err := s.deps.Courses.ScanCourses(in.ctx(), after, limit-len(page.Courses))
		if err != nil {
			return err
		}
		for _, c := range found {
			if in.caller.trusted() || s.onOffer(c) {
				page.Courses = append(page.Courses, courseOf(c))
			}
		}
		if after = next; next == 0 {
			break
		}
	}
	if after != 0 {
		page.NextCursor = optional(pageCursor{Of: of, After: after}.String())
	}
	return respond(in, http.StatusOK, page)
}

// onOffer reports whether anybody may enrol in the course now.
func (s *Server) onOffer(c lectern.Course) bool {
	a, now := c.Availability, s.deps.Clock()
	return (a.Status == "" || a.Status == lectern.StatusOpen) &&
		(a.EnrolFrom == nil || !now.Before(*a.EnrolFrom)) &&
		(a.EnrolUntil == nil || !now.After(*a.EnrolUntil)) &&
		len(a.Regions) == 0 && len(a.Organisations) == 0
}

func (s *Server) listReviews(in *request) error {
	id, err := pathParam(in, "id")
	if err != nil {
		return err
	}
	of := "reviews of " + id
	cur, err := parsePageCursor(in.QueryParam("cursor"), of)
	if err != nil {
		return err
	}
	if _, err := s.courseFor(in, id); err != nil {
		return err
	}
	found, more, err := s.reviewsFor(in, id, cur.ID, s.pageLimit(in))
	if err != nil {
		return err
	}
	page := reviewPageDTO{Reviews: make([]reviewDTO, 0, len(found))}
	if more {
		page.NextCursor = optional(pageCursor{Of: of, ID: found[len(found)-1].ID}.String())
	}
	for _, r := range found {
		dto := reviewDTO(r)
		if !in.caller.trusted() {
			dto.LearnerID = ""
		}
		if !in.caller.admin() {
			dto.Held = ""
		}
		page.Reviews = append(page.Reviews, dto)
	}
	return respond(in, http.StatusOK, page)
}

// heldStep is how many reviews are read at least where some of them are left out.
const heldStep = 200

// reviewsFor returns the reviews that this caller may see: admins are shown held ones
// too. more says that others follow.
func (s *Server) reviewsFor(in *request, courseID, after string, limit int) (shown []lectern.Review, more bool, err error) {
	for step := limit + 1; ; step = max(limit+1, heldStep) {
		found, err := s.deps.Reviews.Reviews(in.ctx(), courseID, after, step)
		if err != nil {
			return nil, false, err
		}
		for _, r := range found {
			if !in.caller.admin() && !r.Held.Counts() {
				continue
			}
			if len(shown) == limit {
				return shown, true, nil
			}
			shown = append(shown, r)
		}
		if len(found) < step {
			return shown, false, nil
		}
		after = found[len(found)-1].ID
	}
}

func (s *Server) putReview(in *request) error {
	d, err := s.decoder(in, true)
	if err != nil {
		return err
	}
	review, err := d.Review(in.body)
	if err != nil {
		return err
	}
	results, err := s.deps.Ingest.PutReviews(in.ctx(), []lectern.Review{review})
	if err != nil {
		return err
	}
	return s.written(in, ingest.Reviews, d.ID, results)
}

func (s *Server) deleteReview(in *request) error {
	id, err := pathParam(in, "id")
	if err != nil {
		return err
	}
	if err := s.deps.Reviews.DeleteReview(in.ctx(), id); err != nil {
		return err
	}
	return in.NoContent(http.StatusNoContent)
}
