package retrieve

import (
	"github.com/lectern-dev/lectern/rerank"
)

// serves is the part of an interest's best cosine from which a course serves that
// interest.
const serves = 0.5

// measureTaste lays the learner's interests over the candidates of a home list:
// nearness to the nearest of them, a little less for a lesser one (share_weight) and
// for the last session (recent_weight), which of them a course serves, and nearness
// to what the learner turned down.
func (e *Engine) measureTaste(p *pass) {
	if p.vectors == nil {
		return
	}
	keeps := p.sharesKeep(e.cfg.ShareWeight)
	top := make([]float64, len(p.taste.Vectors))
	for i := range p.candidates {
		c, v := &p.candidates[i], p.vectors[i]
		if v == nil {
			continue
		}
		best, at := 0.0, -1
		for k, interest := range p.taste.Vectors {
			if len(interest) != len(v) {
				continue
			}
			cosine := dot(v, interest)
			top[k] = max(top[k], cosine)
			if s := scaled(cosine, keeps[k]); at < 0 || s > best {
				best, at, p.cosines[i] = s, k, cosine
			}
		}
		c.Interested = at + 1
		if len(p.taste.Recent) == len(v) {
			if s := scaled(dot(v, p.taste.Recent), e.cfg.RecentWeight); at < 0 || s > best {
				best, at = s, len(top)
			}
		}
		if at >= 0 {
			c.Similarity = rerank.Matched(best)
		}
		if len(p.taste.Away) == len(v) {
			c.Away = rerank.Matched(dot(v, p.taste.Away))
		}
	}
	for i := range p.candidates {
		if k := p.candidates[i].Interested - 1; k >= 0 && p.cosines[i] < serves*top[k] {
			p.candidates[i].Interested = 0
		}
	}
}

// sharesKeep is the part of its cosine that a course keeps for the interest it serves:
// 1 for the heaviest, 1 − weight × (1 − share/most) for another.
func (p *pass) sharesKeep(weight float64) []float64 {
	keeps := make([]float64, len(p.taste.Vectors))
	most := 0.0
	for _, s := range p.taste.Shares {
		most = max(most, s)
	}
	for k := range keeps {
		keeps[k] = 1
		if most > 0 && k < len(p.taste.Shares) {
			keeps[k] = 1 - weight*(1-p.taste.Shares[k]/most)
		}
	}
	return keeps
}

// scaled keeps a part of a cosine above 0.
func scaled(cosine, keep float64) float64 {
	if cosine < 0 {
		return cosine
	}
	return cosine * keep
}
