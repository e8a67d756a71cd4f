package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/lectern-dev/lectern/eval/recs"
)

// reportFile is a file that a report is to be written to. It is opened before the
// work, which may take an hour, but what it holds stays until there is a report.
type reportFile struct {
	*os.File
	isNew, written bool
}

// reportFiles are those of one evaluation; nil where none was asked for.
type reportFiles struct{ json, html *reportFile }

// withReports opens the files of the reports, runs f and closes them. Files that were
// made for nothing are removed.
func (o *recsEval) withReports(f func() error) (err error) {
	defer func() { err = errors.Join(err, o.out.json.done(), o.out.html.done()) }()
	if o.json != stdoutName {
		if o.out.json, err = openReport("--json", o.json); err != nil {
			return err
		}
	}
	if o.out.html, err = openReport("--html", o.html); err != nil {
		return err
	}
	return f()
}

// openReport opens a file to write, nil for no name.
func openReport(flag, path string) (*reportFile, error) {
	if path == "" {
		return nil, nil
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	isNew := err == nil
	if errors.Is(err, os.ErrExist) {
		f, err = os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o666)
	}
	if err != nil {
		return nil, usageError{fmt.Errorf("%s: %w", flag, err)}
	}
	return &reportFile{File: f, isNew: isNew}, nil
}

// put writes the report in place of what the file held.
func (f *reportFile) put(write func(io.Writer) error) error {
	if f == nil {
		return nil
	}
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.Mode().IsRegular() { // a pipe cannot be cut
		if err := f.Truncate(0); err != nil {
			return err
		}
	}
	f.written = true
	return write(f)
}

// done closes the file, and removes it when it is new and nothing was written to it.
func (f *reportFile) done() error {
	if f == nil {
		return nil
	}
	err := f.Close()
	if f.isNew && !f.written {
		err = errors.Join(err, os.Remove(f.Name()))
	}
	return err
}

// write prints the report and writes it to the files that were named.
func (o *recsEval) write(cmd *cobra.Command, r *recs.Report) error {
	if err := o.out.html.put(r.WriteHTML); err != nil {
		return err
	}
	if o.json == stdoutName {
		return r.WriteJSON(cmd.OutOrStdout())
	}
	if err := o.out.json.put(r.WriteJSON); err != nil {
		return err
	}
	return r.WriteTable(cmd.OutOrStdout())
}
