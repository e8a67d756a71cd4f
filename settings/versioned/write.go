package versioned

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/ifmatch"
)

// Document is the settings in use, as the store has them.
type Document[C any] struct {
	Version     int64           `json:"version"` // 0 for the configuration file's
	Name        string          `json:"name"`    // as lists have it
	ETag        string          `json:"etag"`
	ActiveSince *time.Time      `json:"active_since,omitempty"`
	Warnings    []Warning       `json:"warnings"`
	Body        json.RawMessage `json:"document"` // with every section there

	Config   C    `json:"-"`
	Readable bool `json:"-"` // by this build; else Body is as it was stored, and Config is empty
}

// Change is one write.
type Change struct {
	Body    []byte // a document, or a merge patch
	IfMatch string // the header: ETags, or *; "" only for those who may overwrite
	Author  string // id of the API key, or "cli"
	Comment string
}

// Result is what a change came to.
type Result[C any] struct {
	Changed bool         `json:"changed"` // false: it was in use already
	Diff    []Difference `json:"diff"`    // from what was in use before
	Document[C]
}

const (
	// maxComment bounds a comment, in bytes.
	maxComment = 1000
	// tries is how often a change that names no version is tried again.
	tries = 20
)

// Get returns the settings in use.
func (s *Service[C, U]) Get(ctx context.Context) (Document[C], error) {
	v, a, err := s.o.Store.ActiveSettings(ctx, s.kind.Name)
	if lectern.ErrorCode(err) == lectern.CodeNotFound {
		return s.document(lectern.SettingsVersion{}, a), nil
	}
	if err != nil {
		return Document[C]{}, fmt.Errorf("find the %s in use: %w", s.kind.Noun, err)
	}
	return s.document(v, a), nil
}

// document describes a version; version 0 is the file's.
func (s *Service[C, U]) document(v lectern.SettingsVersion, a lectern.SettingsActivation) Document[C] {
	d := Document[C]{Version: v.Version, Name: s.name(v.Version), ETag: etag(s.name(v.Version)), Warnings: []Warning{}}
	if !a.At.IsZero() {
		d.ActiveSince = &a.At
	}
	state := s.current.Load() // a version is never changed, so one that is in use here is ready
	if v.Version == 0 {
		state = s.file
	} else if state.version != v.Version {
		var err error
		if state, err = s.compile(v); err != nil {
			d.Body = v.Body
			d.Warnings = append(d.Warnings, Warning{Kind: WarnUnreadable, Message: "this build cannot read the settings in use and " + s.kind.Uses + " " +
				s.current.Load().name + ": " + message(err)})
			return d
		}
	}
	d.Body, d.Config, d.Readable = state.body, state.config, true
	d.Warnings = s.Warnings(d.Config)
	return d
}

func message(err error) string {
	if e, ok := errors.AsType[*lectern.Error](err); ok {
		return e.Message
	}
	return err.Error()
}

func etag(name string) string { return `"` + name + `"` }

// Put replaces the settings as a whole. The same settings again are no change.
// Errors: CodeInvalid or CodeUnknownField naming every field at fault;
// CodePrecondition naming the version in use.
func (s *Service[C, U]) Put(ctx context.Context, c Change) (Result[C], error) {
	cfg, err := s.kind.Parse(c.Body)
	if err != nil {
		return Result[C]{}, err
	}
	return s.Change(ctx, c, func(Document[C]) (C, error) { return cfg, nil })
}

// Patch applies a JSON merge patch to the settings in use. Errors are Put's.
func (s *Service[C, U]) Patch(ctx context.Context, c Change) (Result[C], error) {
	return s.Change(ctx, c, func(d Document[C]) (C, error) { return s.kind.Merge(d.Body, c.Body) })
}

// Change stores what make makes of the settings in use. Who names no version, or any,
// overtakes others' changes, but never loses one in between: a patch is made anew.
func (s *Service[C, U]) Change(ctx context.Context, c Change, make func(Document[C]) (C, error)) (Result[C], error) {
	match, err := ifmatch.Parse(c.IfMatch)
	if err == nil {
		err = checkComment(c.Comment)
	}
	if err != nil {
		return Result[C]{}, err
	}
	for try := 1; ; try++ {
		r, err := s.writeOnce(ctx, c, match, make)
		if lectern.ErrorCode(err) == lectern.CodePrecondition && match.Any && try < tries {
			continue
		}
		return r, err
	}
}

func (s *Service[C, U]) writeOnce(ctx context.Context, c Change, match ifmatch.Match, make func(Document[C]) (C, error)) (Result[C], error) {
	base, err := s.Get(ctx)
	if err != nil {
		return Result[C]{}, err
	}
	if !match.Fits(base.ETag) {
		return Result[C]{}, stale(c.IfMatch, base.ETag)
	}
	cfg, err := make(base)
	if err != nil {
		return Result[C]{}, err
	}
	body, err := s.kind.Document(cfg)
	if err != nil {
		return Result[C]{}, err
	}
	if base.Readable && bytes.Equal(body, base.Body) {
		return Result[C]{Document: base, Diff: []Difference{}}, nil
	}
	diff, err := s.kind.Diff(base.Body, body)
	if err != nil {
		return Result[C]{}, err
	}
	v, err := s.o.Store.PutSettings(ctx, lectern.SettingsVersion{
		Kind: s.kind.Name, Body: body, Author: c.Author, Comment: c.Comment,
		CreatedAt: lectern.Timestamp(s.o.Clock()), Base: base.Version,
	})
	if lectern.ErrorCode(err) == lectern.CodePrecondition {
		return Result[C]{}, s.overtaken(ctx, c.IfMatch, err)
	}
	if err != nil {
		return Result[C]{}, fmt.Errorf("store the %s: %w", s.kind.Noun, err)
	}
	s.lookNow(ctx)
	return Result[C]{Document: s.document(v, lectern.SettingsActivation{At: v.CreatedAt}), Changed: true, Diff: diff}, nil
}

// lookNow makes this process use a change before the answer goes out. When it
// cannot, the change is stored all the same, and Run comes to it.
func (s *Service[C, U]) lookNow(ctx context.Context) {
	if err := s.Look(context.WithoutCancel(ctx)); err != nil {
		s.o.Logger.WarnContext(ctx, "a change of the "+s.kind.Noun+" is stored, but not in use here yet", "error", err)
	}
}

// overtaken names the version that another writer made meanwhile.
func (s *Service[C, U]) overtaken(ctx context.Context, ifMatch string, err error) error {
	now, getErr := s.Get(ctx)
	if getErr != nil {
		return err
	}
	return stale(ifMatch, now.ETag)
}

// stale says that settings were changed by somebody else.
func stale(given, now string) error {
	return &lectern.Error{
		Code:    lectern.CodePrecondition,
		Message: "the settings were changed meanwhile: " + strings.Trim(now, `"`) + " is in use; read them again and repeat the change",
		Fields:  []lectern.FieldError{lectern.NewFieldError("If-Match", given, "is not the version in use", now)},
	}
}

// Activate makes a version the one in use, 0 the configuration file's. Activating the
// one in use is no change. Errors: CodeNotFound; CodePrecondition where IfMatch is
// given; CodeRefused for a version that this build cannot read.
func (s *Service[C, U]) Activate(ctx context.Context, version int64, c Change) (Result[C], error) {
	match, err := ifmatch.Parse(c.IfMatch)
	if err == nil {
		err = checkComment(c.Comment)
	}
	if err != nil {
		return Result[C]{}, err
	}
	target := lectern.SettingsVersion{}
	if version != 0 {
		if target, err = s.o.Store.Settings(ctx, s.kind.Name, version); err != nil {
			return Result[C]{}, s.missing(version, err)
		}
		if _, err := s.compile(target); err != nil {
			return Result[C]{}, refused(version, err)
		}
	}
	for try := 1; ; try++ {
		r, err := s.activateOnce(ctx, target, c, match)
		if lectern.ErrorCode(err) == lectern.CodePrecondition && match.Any && try < tries {
			continue
		}
		return r, err
	}
}

func (s *Service[C, U]) activateOnce(ctx context.Context, target lectern.SettingsVersion, c Change, match ifmatch.Match) (Result[C], error) {
	before, err := s.Get(ctx)
	if err != nil {
		return Result[C]{}, err
	}
	if !match.Fits(before.ETag) {
		return Result[C]{}, stale(c.IfMatch, before.ETag)
	}
	if before.Version == target.Version {
		return Result[C]{Document: before, Diff: []Difference{}}, nil
	}
	a := lectern.SettingsActivation{
		Kind: s.kind.Name, Version: target.Version, Author: c.Author, Comment: c.Comment, At: lectern.Timestamp(s.o.Clock()),
	}
	err = s.o.Store.ActivateSettings(ctx, a, before.Version)
	switch lectern.ErrorCode(err) {
	case "":
	case lectern.CodePrecondition:
		return Result[C]{}, s.overtaken(ctx, c.IfMatch, err)
	case lectern.CodeNotFound:
		return Result[C]{}, s.missing(target.Version, err)
	default:
		return Result[C]{}, fmt.Errorf("put %s %d to use: %w", s.kind.Noun, target.Version, err)
	}
	s.lookNow(ctx)
	r := Result[C]{Document: s.document(target, a), Changed: true}
	r.Diff, err = s.kind.Diff(before.Body, r.Body)
	return r, err
}

func (s *Service[C, U]) missing(version int64, err error) error {
	if lectern.ErrorCode(err) != lectern.CodeNotFound {
		return err
	}
	return lectern.Errorf(lectern.CodeNotFound, "there is no version %d of the %s", version, s.kind.Noun)
}

func refused(version int64, err error) error {
	out := lectern.Errorf(lectern.CodeRefused, "this build cannot read version %d: %s", version, message(err))
	if e, ok := errors.AsType[*lectern.Error](err); ok {
		out.Fields = e.Fields
	}
	return out
}

func checkComment(comment string) error {
	if len(comment) <= maxComment && !strings.ContainsRune(comment, 0) {
		return nil
	}
	return lectern.Invalid("the comment is not acceptable",
		lectern.NewFieldError("comment", comment, "is too long, or holds a NUL character", fmt.Sprintf("at most %d bytes of text", maxComment)))
}
