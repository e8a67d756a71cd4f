package skills

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/lectern-dev/lectern"
)

// Config says whether and with what skills are recognised.
type Config struct {
	Enabled  bool   `koanf:"enabled"`  // recognise skills in courses and queries
	Override string `koanf:"override"` // YAML file with a platform's own skills and occupations; "" for none
}

// DefaultConfig returns the settings that Lectern ships with.
func DefaultConfig() Config { return Config{Enabled: true} }

// Validate returns nil: what is wrong with the override file, Open says.
func (Config) Validate() error { return nil }

// Open loads the graph that Lectern ships, with the override file where there is
// one. Its error is CodeInvalid where the file is at fault, and lists every fault
// with its entry and field, or its line.
func (c Config) Open() (*Graph, error) {
	g, err := Default()
	if err != nil || c.Override == "" {
		return g, err
	}
	f, err := os.Open(c.Override)
	if err != nil {
		reason := "cannot be read"
		if errors.Is(err, fs.ErrNotExist) {
			reason = "is not there"
		}
		return nil, &lectern.Error{Code: lectern.CodeInvalid, Message: "the override of the skill graph " + reason, Err: err,
			Fields: []lectern.FieldError{lectern.NewFieldError("skills.override", c.Override, reason, "a YAML file, as docs/skills.md describes it")}}
	}
	defer func() { _ = f.Close() }() // was only read
	o, err := ReadOverride(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Override, err)
	}
	if g, err = g.Extend(o); err != nil {
		return nil, fmt.Errorf("%s: %w", c.Override, err)
	}
	return g, nil
}
