package cf

// Specs lists the models that there are, in the order of reports: floors first.
func Specs() []Spec {
	return []Spec{
		randomOptions().spec(randomName, "uniform by hash",
			0, true, func(p Params) Model { return &Random{params: p} }),
		popularityOptions().spec(popularityName, "number of takers",
			0, true, func(p Params) Model { return &Popularity{params: p} }),
		cosineOptions().spec(cosineName, "Sarwar et al. 2001; Deshpande and Karypis 2004",
			0, false, func(p Params) Model { return &Cosine{params: p} }),
		easeOptions().spec(easeName, "Steck 2019, Embarrassingly Shallow Autoencoders for Sparse Data",
			maxItemsEASE, false, func(p Params) Model { return &EASE{params: p} }),
		slistOptions().spec(slistName, "Choi et al. 2021, Session-aware Linear Item-Item Models",
			maxItemsEASE, false, func(p Params) Model { return &SLIST{params: p} }),
		sessionSpec(),
		alsSpec(),
		neighbourSpec(),
	}
}

// SpecByName returns the spec of that name, that of the blend among them.
func SpecByName(name string) (Spec, bool) {
	if name == blendName {
		return blendSpec(), true
	}
	for _, s := range Specs() {
		if s.Name == name {
			return s, true
		}
	}
	return Spec{}, false
}
