package importer

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/ingest"
)

// Summary says what an import did. Rows are counted over all files.
type Summary struct {
	Kind           ingest.Kind
	Files          int
	Read           int
	Part           Part
	Skipped        int // rows of other parts
	Created        int
	Updated        int
	Unchanged      int
	Duplicate      int // events whose id was seen before
	Parked         int // kept until their course is known
	MissingCourses int // courses that parked rows wait for
	Rejected       int
	Reasons        []ReasonCount // of rejected rows, most frequent first
	Broken         []string      // files that ended early, and why
	DryRun         bool
	Valid          int // rows that a dry run would write
	Duration       time.Duration
	RejectsPath    string
}

// ReasonCount is how many rows were rejected for one reason.
type ReasonCount struct {
	Field  string
	Reason string // numbers and quoted words are left out
	Rows   int
}

func newSummary(opts Options, files int) Summary {
	return Summary{Kind: opts.Kind, Files: files, Part: opts.Part, DryRun: opts.DryRun, RejectsPath: opts.RejectsPath}
}

// Accepted is how many rows were written, parked or found as they should be.
func (s Summary) Accepted() int {
	return s.Created + s.Updated + s.Unchanged + s.Duplicate + s.Parked + s.Valid
}

// add counts what a batch says of itself.
func (s *Summary) add(read, skipped int, broken string, rejects []Reject) {
	s.Read += read
	s.Skipped += skipped
	if broken != "" {
		s.Broken = append(s.Broken, broken)
	}
	for _, r := range rejects {
		s.Rejected++
		s.reason(r.Field, plainReason(r.Reason))
	}
}

// maxReasons bounds how many reasons are told apart.
const maxReasons = 200

func (s *Summary) reason(field, reason string) {
	i := slices.IndexFunc(s.Reasons, func(r ReasonCount) bool { return r.Field == field && r.Reason == reason })
	if i < 0 && len(s.Reasons) >= maxReasons {
		field, reason = "", "other reasons"
		i = slices.IndexFunc(s.Reasons, func(r ReasonCount) bool { return r.Field == field && r.Reason == reason })
	}
	if i < 0 {
		s.Reasons = append(s.Reasons, ReasonCount{Field: field, Reason: reason})
		i = len(s.Reasons) - 1
	}
	s.Reasons[i].Rows++
}

var (
	quotedWord = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)
	digits     = regexp.MustCompile(`(?:UTF-|BCP |RFC )?\d+`)
)

// plainReason leaves out what differs from row to row.
func plainReason(reason string) string {
	reason, _, _ = strings.Cut(reason, "; did you mean")
	return digits.ReplaceAllStringFunc(quotedWord.ReplaceAllString(reason, "…"), func(number string) string {
		if number[0] >= '0' && number[0] <= '9' {
			return "N"
		}
		return number // the name of a standard
	})
}

// print writes the summary for people.
func (s *Summary) print(w io.Writer) {
	slices.SortStableFunc(s.Reasons, func(a, b ReasonCount) int { return b.Rows - a.Rows })
	rate := 0.0
	if s.Duration > 0 {
		rate = float64(s.Read) / s.Duration.Seconds()
	}
	fmt.Fprintf(w, "%s: read %s from %s in %.1f s (%.0f rows/s)\n", s.Kind, count(s.Read, "row"), count(s.Files, "file"), s.Duration.Seconds(), rate)
	if s.Part.Of > 1 {
		fmt.Fprintf(w, "  part %s: %s of the other parts skipped\n", s.Part, count(s.Skipped, "row"))
	}
	if s.DryRun {
		fmt.Fprintf(w, "  dry run, nothing written: %s would be imported, %d rejected\n", count(s.Valid, "row"), s.Rejected)
	} else {
		fmt.Fprintf(w, "  created %d, updated %d, unchanged %d", s.Created, s.Updated, s.Unchanged)
		if s.Kind == ingest.Events {
			fmt.Fprintf(w, ", duplicate %d", s.Duplicate)
		}
		fmt.Fprintln(w)
	}
	if s.Parked > 0 {
		fmt.Fprintf(w, "  parked %d: in effect as soon as %s not yet known come in\n", s.Parked, count(s.MissingCourses, "course"))
	}
	if s.Rejected > 0 && !s.DryRun {
		where := ""
		if s.RejectsPath != "" {
			where = ", see " + s.RejectsPath
		}
		fmt.Fprintf(w, "  rejected %d%s\n", s.Rejected, where)
	}
	for _, r := range s.Reasons {
		name := r.Field
		if name == "" {
			name = "row"
		}
		fmt.Fprintf(w, "    %d × %s: %s\n", r.Rows, name, r.Reason)
	}
	for _, b := range s.Broken {
		fmt.Fprintf(w, "  %s\n", b)
	}
}

// count prints a number of things.
func count(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}

// were is count with its verb.
func were(n int, thing string) string {
	if n == 1 {
		return count(n, thing) + " was"
	}
	return count(n, thing) + " were"
}

// verdict is the error that the whole run deserves.
func (s *Summary) verdict(strict bool) error {
	wrong := s.Rejected + len(s.Broken)
	switch {
	case wrong > 0 && s.Accepted() == 0:
		e := lectern.Errorf(lectern.CodeInvalid, "nothing could be imported: %s rejected", were(s.Rejected, "row"))
		if len(s.Broken) > 0 {
			e.Message += "; " + strings.Join(s.Broken, "; ")
		}
		return e
	case wrong > 0 && strict:
		e := lectern.Errorf(lectern.CodeInvalid, "%s rejected and %s broke off; the other rows were imported", were(s.Rejected, "row"), count(len(s.Broken), "file"))
		if s.DryRun {
			e.Message = strings.NewReplacer(" were ", " would be ", " was ", " would be ").Replace(e.Message)
		}
		return e
	}
	return nil
}

// progress draws a bar of bytes with rows a second. The zero value draws none.
type progress struct {
	bar     *progressbar.ProgressBar
	started time.Time
}

func newProgress(w io.Writer, kind ingest.Kind) progress {
	bar := progressbar.NewOptions64(1,
		progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(string(kind)), progressbar.OptionShowBytes(true),
		progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish(), progressbar.OptionSetWidth(30))
	return progress{bar: bar, started: time.Now()}
}

func (p progress) set(read, total int64, rows int) {
	if p.bar == nil {
		return
	}
	p.bar.Describe(fmt.Sprintf("%d rows, %.0f rows/s", rows, float64(rows)/max(time.Since(p.started).Seconds(), 1e-3)))
	p.bar.ChangeMax64(max(total, 1))
	_ = p.bar.Set64(min(read, total))
}

// clear makes room for a line of text.
func (p progress) clear() {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}
