package api

// depsForTest returns the server's parts without what can only be used once.
func (s *Server) depsForTest() Deps {
	d := s.deps
	d.Registry = nil
	return d
}
