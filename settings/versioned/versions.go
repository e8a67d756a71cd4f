package versioned

import (
	"context"
	"encoding/json"
	"time"

	"github.com/lectern-dev/lectern"
)

// Version is one stored version. Version 0 stands for the configuration file's
// settings, as they are now.
type Version struct {
	Version     int64        `json:"version"`
	Name        string       `json:"name"`
	ETag        string       `json:"etag"`
	Active      bool         `json:"active"` // in use
	Author      string       `json:"author,omitempty"`
	Comment     string       `json:"comment,omitempty"`
	CreatedAt   *time.Time   `json:"created_at,omitempty"`
	Base        *int64       `json:"base,omitempty"` // the version that it was made from
	Diff        []Difference `json:"diff"`           // from Base
	Activations []Activation `json:"activations"`    // newest first

	Readable bool `json:"readable"` // by this build

	// Of one version, not in lists.
	Body     json.RawMessage `json:"document,omitempty"`
	Warnings []Warning       `json:"warnings,omitempty"`
}

// Activation says since when a version was in use.
type Activation struct {
	At      time.Time `json:"at"`
	Author  string    `json:"author"`
	Comment string    `json:"comment,omitempty"`
}

// Versions lists up to limit versions below before (0: all), newest first, each with
// its diff and without its document. The configuration file's comes last where it
// was gone back to. next is the before of the next page, 0 for none.
func (s *Service[C, U]) Versions(ctx context.Context, before int64, limit int) (list []Version, next int64, err error) {
	stored, history, err := s.o.Store.SettingsVersions(ctx, s.kind.Name, before, limit)
	if err != nil {
		return nil, 0, err
	}
	active, err := s.activeVersion(ctx)
	if err != nil {
		return nil, 0, err
	}
	bodies := make(map[int64]json.RawMessage, len(stored))
	for _, v := range stored {
		bodies[v.Version] = v.Body
	}
	list = make([]Version, 0, len(stored))
	for i, v := range stored {
		described, err := s.describe(ctx, v, history[i], active, bodies)
		if err != nil {
			return nil, 0, err
		}
		described.Body, described.Warnings = nil, nil
		list = append(list, described)
	}
	if len(stored) >= limit && limit > 0 {
		next = stored[limit-1].Version
	}
	return list, next, nil
}

func (s *Service[C, U]) activeVersion(ctx context.Context) (int64, error) {
	v, _, err := s.o.Store.ActiveSettings(ctx, s.kind.Name)
	if lectern.ErrorCode(err) == lectern.CodeNotFound {
		return 0, nil
	}
	return v.Version, err
}

// Version returns one version with its document and diff; 0 is the configuration
// file's. Errors: CodeNotFound.
func (s *Service[C, U]) Version(ctx context.Context, version int64) (Version, error) {
	active, err := s.activeVersion(ctx)
	if err != nil {
		return Version{}, err
	}
	stored, history, err := s.o.Store.SettingsVersions(ctx, s.kind.Name, version+1, 1)
	if err != nil {
		return Version{}, err
	}
	var activations []lectern.SettingsActivation
	found := lectern.SettingsVersion{Kind: s.kind.Name}
	if len(stored) > 0 && stored[0].Version == version {
		found, activations = stored[0], history[0]
	} else if version != 0 {
		return Version{}, s.missing(version, lectern.Errorf(lectern.CodeNotFound, "no such version"))
	}
	return s.describe(ctx, found, activations, active, map[int64]json.RawMessage{})
}

// describe lays a version out. bodies holds the documents that are known, and gets
// those that were read.
func (s *Service[C, U]) describe(ctx context.Context, v lectern.SettingsVersion, activations []lectern.SettingsActivation, active int64,
	bodies map[int64]json.RawMessage,
) (Version, error) {
	name := s.name(v.Version)
	out := Version{
		Version: v.Version, Name: name, ETag: etag(name), Active: v.Version == active, Author: v.Author, Comment: v.Comment,
		Diff: []Difference{}, Activations: make([]Activation, len(activations)), Body: v.Body, Readable: true,
	}
	for i, a := range activations {
		out.Activations[i] = Activation{At: a.At, Author: a.Author, Comment: a.Comment}
	}
	if v.Version == 0 {
		out.Body, out.Warnings = s.file.body, s.Warnings(s.o.File)
		return out, nil
	}
	out.CreatedAt, out.Base = &v.CreatedAt, &v.Base
	base, err := s.body(ctx, v.Base, bodies)
	if err != nil {
		return Version{}, err
	}
	if out.Diff, err = s.kind.Diff(base, v.Body); err != nil {
		return Version{}, err
	}
	state, err := s.compile(v)
	if out.Readable = err == nil; out.Readable {
		out.Warnings = s.Warnings(state.config)
	}
	return out, nil
}

// body returns the document of a version.
func (s *Service[C, U]) body(ctx context.Context, version int64, known map[int64]json.RawMessage) (json.RawMessage, error) {
	if version == 0 {
		return s.file.body, nil
	}
	if body, ok := known[version]; ok {
		return body, nil
	}
	v, err := s.o.Store.Settings(ctx, s.kind.Name, version)
	if err != nil {
		return nil, s.missing(version, err)
	}
	known[version] = v.Body
	return v.Body, nil
}

// Diff returns what differs from one version to another; 0 is the configuration
// file's. Errors: CodeNotFound.
func (s *Service[C, U]) Diff(ctx context.Context, from, to int64) ([]Difference, error) {
	known := make(map[int64]json.RawMessage, 2)
	a, err := s.body(ctx, from, known)
	if err != nil {
		return nil, err
	}
	b, err := s.body(ctx, to, known)
	if err != nil {
		return nil, err
	}
	return s.kind.Diff(a, b)
}
