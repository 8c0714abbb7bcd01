"""Corpora of literal files, for the tests of reading them."""

from pathlib import Path

from specialize.corpus import Corpus, CorpusFiles, open_corpus

# "vámonos al mar": two multiword tokens (ids 1-2 and 3-4) and an empty node
CONLLU = """\
# text = vámonos al mar.
1-2	vámonos	_	_	_	_	_	_	_	SpaceAfter=Yes
1	vamos	ir	VERB	_	_	0	root	_	_
2	nos	nosotros	PRON	_	_	1	obj	_	_
3-4	al	_	_	_	_	_	_	_	_
3	a	a	ADP	_	_	5	case	_	_
4	el	el	DET	_	_	5	det	_	_
4.1	(nada)	_	_	_	_	_	_	_	_
5	mar	mar	NOUN	_	_	1	obl	_	SpaceAfter=No
6	.	.	PUNCT	_	_	1	punct	_	_
"""


def write(path: Path, text: str) -> str:
    path.write_bytes(text.encode())
    return str(path)


def opened(*files: str, **options) -> Corpus:
    return open_corpus(CorpusFiles(files, **options))
