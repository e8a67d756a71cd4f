package versioned

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/document"
	"github.com/lectern-dev/lectern/internal/watch"
)

// Kind describes settings of one kind: documents that become a C, of which U is what
// a process works with.
type Kind[C, U any] struct {
	Name   string // in the store
	Noun   string // in messages, for example "rerank settings"
	Prefix string // what names of stored versions begin with, for example "v"
	Uses   string // what a process does with them, for example "ranks by"

	Parse    func(body []byte) (C, error)            // CodeInvalid, CodeUnknownField naming every field at fault
	Document func(cfg C) ([]byte, error)             // equal settings give equal documents
	Merge    func(body, patch []byte) (C, error)     // a merge patch on a document; errors are Parse's
	Diff     func(a, b []byte) ([]Difference, error) // between documents, readable or not
	// File readies the configuration file's settings and names them after what is in
	// them, Compile those of a version. Errors: CodeInvalid.
	File    func(cfg C) (use U, name string, err error)
	Compile func(cfg C, name string) (use U, err error)
}

// Difference is one difference between two documents.
type Difference = document.Change

// Options are what a Service works with.
type Options[C any] struct {
	Config Config
	Store  lectern.SettingsStore // a SettingsWatcher too where the backend has notifications
	File   C                     // the configuration file's settings: version 0
	// Warn says what is doubtful about usable settings; nil says nothing.
	Warn   func(C) []Warning
	Clock  lectern.Clock
	Logger *slog.Logger
}

// Warning says what is doubtful about settings that are usable.
type Warning struct {
	Kind    string   `json:"kind"`              // see the Warn constants
	Rules   []string `json:"rules,omitempty"`   // ids of the rules it is about
	Wins    string   `json:"wins,omitempty"`    // the one that has its way
	Courses []string `json:"courses,omitempty"` // ids, where rules name courses
	Message string   `json:"message"`           // a sentence
}

// What a warning is about.
const (
	WarnClash      = "clash"      // two rules want contrary things
	WarnNoEffect   = "no_effect"  // a rule, or what it names, does nothing
	WarnUnreadable = "unreadable" // this build cannot read the settings in use
)

// Service reads, writes and uses the settings of one kind. It is safe for concurrent
// use.
type Service[C, U any] struct {
	kind Kind[C, U]
	o    Options[C]
	file *state[C, U]

	mu      sync.Mutex // one look at a time, so that no older version follows a newer one
	current atomic.Pointer[state[C, U]]
	stuck   atomic.Int64 // version in use that this build cannot read; 0 for none
}

// state is one version, ready to be used.
type state[C, U any] struct {
	version int64
	seq     int64 // of the activation; 0 for none
	since   time.Time
	name    string
	config  C
	use     U
	body    json.RawMessage // as Document writes it
}

// New returns a service that uses the file's settings until Load or Run has looked.
// Errors: CodeInvalid naming the keys of the file at fault.
func New[C, U any](kind Kind[C, U], o Options[C]) (*Service[C, U], error) {
	use, name, err := kind.File(o.File)
	if err != nil {
		return nil, err
	}
	body, err := kind.Document(o.File)
	if err != nil {
		return nil, err
	}
	s := &Service[C, U]{kind: kind, o: o, file: &state[C, U]{name: name, config: o.File, use: use, body: body}}
	s.current.Store(s.file)
	return s, nil
}

// Use returns what is in use, and what lists call it. A request takes it once.
func (s *Service[C, U]) Use() (use U, name string) {
	c := s.current.Load()
	return c.use, c.name
}

// InUse returns the version in use in this process, 0 for the file's settings, and
// since when.
func (s *Service[C, U]) InUse() (version int64, since time.Time) {
	c := s.current.Load()
	return c.version, c.since
}

// Unreadable returns the version that is in use elsewhere but that this build cannot
// read, 0 for none.
func (s *Service[C, U]) Unreadable() int64 { return s.stuck.Load() }

// Load puts the settings in use in the store to use here, before anything is
// served, and says which they are.
func (s *Service[C, U]) Load(ctx context.Context) error {
	if err := s.Look(ctx); err != nil {
		return err
	}
	c := s.current.Load()
	if c.version == 0 {
		return nil
	}
	changed, err := s.kind.Diff(s.file.body, c.body)
	if err != nil {
		return err
	}
	s.o.Logger.InfoContext(ctx, "the stored "+s.kind.Noun+" hold; those of the configuration file have no effect until version 0 is activated",
		"version", c.version, "differences", len(changed))
	return nil
}

// Run looks for other settings until ctx ends: when the store says so, and every
// Config.Poll.
func (s *Service[C, U]) Run(ctx context.Context) error {
	loop := watch.Loop{Every: s.o.Config.Poll, Look: s.Look, What: "the " + s.kind.Noun, Stay: "those in use stay", Logger: s.o.Logger}
	if store, ok := s.o.Store.(lectern.SettingsWatcher); ok {
		loop.Hints = store.WatchSettings
	}
	return loop.Run(ctx)
}

// Look puts what the store says is in use to use here, if it is not yet. A version
// that this build cannot read is logged once, and the one before stays.
func (s *Service[C, U]) Look(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, a, err := s.o.Store.ActiveSettings(ctx, s.kind.Name)
	now := s.current.Load()
	switch {
	case lectern.ErrorCode(err) == lectern.CodeNotFound:
		s.stuck.Store(0)
		if now.version != 0 || now.seq != a.Seq {
			next := *s.file
			next.seq, next.since = a.Seq, a.At
			s.use(ctx, &next)
		}
		return nil
	case err != nil:
		return fmt.Errorf("find the %s in use: %w", s.kind.Noun, err)
	case v.Version == now.version:
		s.stuck.Store(0)
		if a.Seq != now.seq {
			next := *now
			next.seq, next.since = a.Seq, a.At
			s.current.Store(&next)
		}
		return nil
	case v.Version == s.stuck.Load():
		return nil
	}
	next, err := s.compile(v)
	if err != nil {
		if now.version == 0 && now.seq == 0 { // nothing that was stored holds here yet
			if err := s.useBefore(ctx, v); err != nil {
				return err
			}
			now = s.current.Load()
		}
		s.stuck.Store(v.Version)
		s.o.Logger.ErrorContext(ctx, "this build cannot read the "+s.kind.Noun+" in use; those before stay",
			"version", v.Version, "staying", now.name, "error", err)
		return nil
	}
	s.stuck.Store(0)
	next.seq, next.since = a.Seq, a.At
	s.use(ctx, next)
	return nil
}

// maxBefore bounds how many unreadable versions in a row a start looks behind.
const maxBefore = 100

// useBefore puts the newest readable version that v was made from to use, so that a
// process that starts does like those that were running when v came: by the file's
// settings it would, for example, show what rules hide. Where there is none the file's stay.
func (s *Service[C, U]) useBefore(ctx context.Context, v lectern.SettingsVersion) error {
	for range maxBefore {
		if v.Base == 0 {
			return nil
		}
		base, err := s.o.Store.Settings(ctx, v.Kind, v.Base)
		if err != nil {
			return fmt.Errorf("find readable %s: %w", s.kind.Noun, err)
		}
		if before, err := s.compile(base); err == nil {
			before.since = base.CreatedAt
			s.use(ctx, before)
			return nil
		}
		v = base
	}
	return nil
}

// use puts a version to use; the caller holds the lock.
func (s *Service[C, U]) use(ctx context.Context, next *state[C, U]) {
	before := s.current.Swap(next)
	if before.version != next.version {
		s.o.Logger.InfoContext(ctx, s.kind.Noun+" in use", "version", next.name, "before", before.name)
	}
}

// compile makes a stored version ready. Errors: CodeInvalid, CodeUnknownField for
// what this build cannot read.
func (s *Service[C, U]) compile(v lectern.SettingsVersion) (*state[C, U], error) {
	cfg, err := s.kind.Parse(v.Body)
	if err != nil {
		return nil, err
	}
	name := s.name(v.Version)
	use, err := s.kind.Compile(cfg, name)
	if err != nil {
		return nil, err
	}
	body, err := s.kind.Document(cfg)
	if err != nil {
		return nil, err
	}
	return &state[C, U]{version: v.Version, name: name, config: cfg, use: use, body: body}, nil
}

// name is how lists call a version: the file's is named after what is in it.
func (s *Service[C, U]) name(version int64) string {
	if version == 0 {
		return s.file.name
	}
	return s.kind.Prefix + strconv.FormatInt(version, 10)
}

// Warnings says what is doubtful about settings.
func (s *Service[C, U]) Warnings(cfg C) []Warning {
	if s.o.Warn == nil {
		return []Warning{}
	}
	found := s.o.Warn(cfg)
	if found == nil {
		return []Warning{}
	}
	return found
}
