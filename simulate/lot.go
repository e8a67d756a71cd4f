package simulate

// What lots are drawn for. The lot of one learner, purpose and occasion is the same in
// every run of one seed, whatever else happens: so that runs that differ in one thing are
// compared lot for lot.
const (
	lotRate = iota + 1
	lotVisit
	lotHour
	lotSurface
	lotTopic
	lotQuery
	lotLook
	lotClick
	lotEnrol
	lotSave
	lotDismiss
	lotReport
	lotBegin
	lotDelay
	lotFinish
	lotStop
	lotSilent
	lotStep
	lotRated
	lotStars
	lotMood
	lotReason
)

// lot draws from [0, 1) for a learner, a purpose and whatever tells one occasion from
// another.
func (s *Simulation) lot(learner uint64, parts ...uint64) float64 {
	x := mix(s.options.Seed ^ mix(learner+0x632be59bd9b4e019))
	for _, p := range parts {
		x = mix(x ^ (p+1)*0x9e3779b97f4a7c15)
	}
	return float64(x>>11) / (1 << 53)
}

// mix is the finaliser of splitmix64 (Steele, Lea and Flood 2014).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
