//go:build linux || darwin || freebsd

package main

import "syscall"

// freeBytes is how much room a folder's disk has for this user.
func freeBytes(folder string) (uint64, error) {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(folder, &fs); err != nil {
		return 0, err
	}
	return uint64(fs.Bavail) * uint64(fs.Bsize), nil //nolint:unconvert // the types differ between systems
}
