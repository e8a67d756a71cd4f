//go:build !unix

package pgtest

import "syscall"

func serverAttributes() *syscall.SysProcAttr { return nil }

func ownByServer(string) error { return nil }
