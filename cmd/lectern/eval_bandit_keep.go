package main

import (
	"bufio"
	"encoding/gob"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// keptLists is a file of the lists that an engine made for the learners of one seed, so
// that they need not be made again to try other settings of exploration on them.
type keptLists struct {
	Of     string // what the lists were made of: others are made anew
	Slates slates
	Lists  int
}

// madeOf tells lists apart that were made in another way.
func (o *banditEval) madeOf(seed uint64) string {
	s := o.options
	s.Seed, s.Worths = seed, nil
	return fmt.Sprintf("%+v %d %d %+v", o.world, o.fresh, o.good, s)
}

func (o *banditEval) keptFile(seed uint64) string {
	return filepath.Join(o.folder, fmt.Sprintf("lists-%d.gob", seed))
}

// kept reads the lists of a seed; nil where none are kept.
func (o *banditEval) kept(seed uint64) (*keptLists, error) {
	if o.folder == "" {
		return nil, nil //nolint:nilnil // none is no error
	}
	f, err := os.Open(o.keptFile(seed))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // none is no error
	}
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // read only
	var k keptLists
	if err := gob.NewDecoder(bufio.NewReaderSize(f, 1<<20)).Decode(&k); err != nil {
		return nil, fmt.Errorf("read %s: %w", f.Name(), err)
	}
	if k.Of != o.madeOf(seed) {
		return nil, fmt.Errorf("%s holds lists of another comparison: name another folder with --lists", f.Name())
	}
	return &k, nil
}

// keep writes the lists of a seed: whole, or not at all.
func (o *banditEval) keep(seen *recordedWorld) (err error) {
	if o.folder == "" {
		return nil
	}
	if err := os.MkdirAll(o.folder, 0o750); err != nil {
		return err
	}
	f, err := os.CreateTemp(o.folder, "lists-*.part")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	w := bufio.NewWriterSize(f, 1<<20)
	err = gob.NewEncoder(w).Encode(keptLists{Of: o.madeOf(seen.seed), Slates: seen.slates, Lists: seen.lists})
	if err := errors.Join(err, w.Flush(), f.Close()); err != nil {
		return fmt.Errorf("keep lists: %w", err)
	}
	return os.Rename(f.Name(), o.keptFile(seen.seed))
}
