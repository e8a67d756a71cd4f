package simulate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/lectern-dev/lectern"
)

// HTTPSite is a running server. Its clock is its own: time does not go by when a
// simulation says so, and what a server does in the background it does by itself.
type HTTPSite struct {
	URL    string // without a path
	Key    string // of scope server
	Client *http.Client
}

// HTTPRecords is a server that is asked which arms made each list.
type HTTPRecords struct{ *HTTPSite }

var (
	_ Site    = (*HTTPSite)(nil)
	_ Records = HTTPRecords{}
)

// listBody is what is read of a list.
type listBody struct {
	RankingID string `json:"ranking_id"`
	Items     []struct {
		CourseID string `json:"course_id"`
		Position int    `json:"position"`
	} `json:"items"`
}

func (b listBody) list() lectern.List {
	out := lectern.List{RankingID: b.RankingID}
	for _, it := range b.Items {
		out.Items = append(out.Items, lectern.Item{Course: lectern.Course{ID: it.CourseID}, Position: it.Position})
	}
	return out
}

// List implements Lister.
func (s *HTTPSite) List(ctx context.Context, req lectern.ListRequest) (lectern.List, error) {
	q := url.Values{"limit": {strconv.Itoa(req.Limit)}}
	path := "/v1/learners/" + url.PathEscape(req.Learner.ID) + "/recommendations"
	if req.Surface == lectern.SurfaceSearch {
		path = "/v1/search"
		q.Set("q", req.Query)
		q.Set("learner", req.Learner.ID)
	}
	var body listBody
	err := s.call(ctx, http.MethodGet, path+"?"+q.Encode(), "", nil, &body)
	return body.list(), err
}

// Home implements Lister.
func (s *HTTPSite) Home(ctx context.Context, req lectern.HomeRequest) (lectern.Home, error) {
	var body struct {
		Rows []struct {
			Row lectern.Row `json:"row"`
			listBody
		} `json:"rows"`
	}
	path := "/v1/learners/" + url.PathEscape(req.Learner.ID) + "/home?limit=" + strconv.Itoa(req.Limit)
	err := s.call(ctx, http.MethodGet, path, "", nil, &body)
	var out lectern.Home
	for _, r := range body.Rows {
		out.Rows = append(out.Rows, lectern.HomeRow{Row: r.Row, List: r.list()})
	}
	return out, err
}

// Ranking implements Records as far as arms go.
func (s HTTPRecords) Ranking(ctx context.Context, id string) (lectern.Ranking, error) {
	var body struct {
		Arms []lectern.ArmRef `json:"arms"`
	}
	err := s.call(ctx, http.MethodGet, "/v1/rankings/"+url.PathEscape(id), "", nil, &body)
	return lectern.Ranking{ID: id, Arms: body.Arms}, err
}

// Until implements Site: the server's clock goes by itself.
func (s *HTTPSite) Until(context.Context, time.Time) error { return nil }

// Settle implements Site: the server does so by itself.
func (s *HTTPSite) Settle(context.Context) error { return nil }

// PutCourses implements Site.
func (s *HTTPSite) PutCourses(ctx context.Context, courses []lectern.Course) error {
	return batch(ctx, s, "/v1/courses/batch", courses)
}

// Append implements Site.
func (s *HTTPSite) Append(ctx context.Context, events []lectern.Event) error {
	return batch(ctx, s, "/v1/events/batch", events)
}

// Say implements Site.
func (s *HTTPSite) Say(ctx context.Context, ref lectern.LearnerRef, f lectern.Feedback) error {
	body, err := json.Marshal(map[string]any{
		"id": f.ID, "kind": f.Kind, "course_id": f.CourseID, "ranking_id": f.RankingID, "position": f.Position, "reason": f.Reason,
	})
	if err != nil {
		return err
	}
	return s.call(ctx, http.MethodPost, "/v1/learners/"+url.PathEscape(ref.ID)+"/feedback", "application/json", body, nil)
}

// Fill writes what a world begins with, and waits until the server makes lists of it.
func (s *HTTPSite) Fill(ctx context.Context, w *World) error {
	for _, write := range []func() error{
		func() error { return s.check(ctx, w) },
		func() error { return batch(ctx, s, "/v1/learners/batch", w.Learners) },
		func() error { return batch(ctx, s, "/v1/reviews/batch", w.Reviews) },
		func() error { return batch(ctx, s, "/v1/events/batch", w.Events) },
		func() error { return batch(ctx, s, "/v1/courses/batch", w.Courses) },
	} {
		if err := write(); err != nil {
			return err
		}
	}
	return s.await(ctx)
}

// batchRows is how many rows are sent together.
const batchRows = 1000

// batch sends rows as NDJSON and fails where one is refused.
func batch[T any](ctx context.Context, s *HTTPSite, path string, rows []T) error {
	for from := 0; from < len(rows); from += batchRows {
		var lines bytes.Buffer
		encode := json.NewEncoder(&lines)
		for _, row := range rows[from:min(from+batchRows, len(rows))] {
			if err := encode.Encode(row); err != nil {
				return err
			}
		}
		text, err := s.ask(ctx, http.MethodPost, path, "application/x-ndjson", lines.Bytes())
		if err != nil {
			return err
		}
		if err := refused(path, text); err != nil {
			return err
		}
	}
	return nil
}

// refused reads the answer to a batch, a line for every row, and fails where a row was
// refused, with what is said of the first.
func refused(path string, text []byte) error {
	first, n := json.RawMessage(nil), 0
	for lines := json.NewDecoder(bytes.NewReader(text)); ; {
		var line json.RawMessage
		if err := lines.Decode(&line); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return fmt.Errorf("%s answered what is not NDJSON: %w", path, err)
		}
		var row struct {
			Status int `json:"status"`
		}
		if err := json.Unmarshal(line, &row); err != nil {
			return fmt.Errorf("%s answered what is not NDJSON of outcomes: %w", path, err)
		}
		if row.Status < http.StatusBadRequest {
			continue
		}
		if n++; n == 1 {
			first = line
		}
	}
	if n > 0 {
		return fmt.Errorf("%s refused %d rows, the first of them: %.400s", path, n, first)
	}
	return nil
}

// mostAnswer bounds what is read of an answer.
const mostAnswer = 32 << 20

// call makes one request and reads its answer as JSON; into may be nil.
func (s *HTTPSite) call(ctx context.Context, method, path, kind string, body []byte, into any) error {
	text, err := s.ask(ctx, method, path, kind, body)
	if err != nil || into == nil {
		return err
	}
	return json.Unmarshal(text, into)
}

// ask makes one request.
func (s *HTTPSite) ask(ctx context.Context, method, path, kind string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(s.URL, "/")+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+s.Key)
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	res, err := s.Client.Do(req)
	if err != nil {
		return nil, lectern.Errorf(lectern.CodeUnavailable, "no server answers at %s: %w", s.URL, err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(res.Body, mostAnswer))
	if err != nil {
		return nil, err
	}
	if res.StatusCode == http.StatusUnauthorized || res.StatusCode == http.StatusForbidden {
		return nil, lectern.Errorf(lectern.CodeForbidden, "%s does not take the key, which has to be of scope server: %s %s: %s", s.URL, method, path, res.Status)
	}
	if res.StatusCode >= http.StatusMultipleChoices {
		return nil, fmt.Errorf("%s %s: %s: %.300s", method, path, res.Status, text)
	}
	return text, nil
}
