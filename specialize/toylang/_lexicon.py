"""The lexicon: dictionary roots of Turkish, a language that multilingual models have seen.

A root may be in several tables (``gül``: rose, a given name, to laugh; ``doğru``: an adjective and
a postposition); context disambiguates.
"""

from dataclasses import dataclass

# Noun classes: verbs select their subject, object and goal by class (see VERBS).
NOUNS = {
    "H": """adam kadın çocuk kız oğlan anne baba kardeş teyze amca dede nine komşu arkadaş doktor
        öğretmen öğrenci çoban usta çırak asker hakim yazar ressam terzi fırıncı kaptan misafir
        köylü bey gelin yolcu""",  # human
    "A": """kuş at köpek kedi inek koyun keçi kaz tavuk balık aslan kurt ayı tilki tavşan deve
        eşek kartal şahin arı yılan kurbağa""",  # animal
    "T": """kapı masa kitap defter kalem ev bıçak kutu halı gömlek ayna saat lamba sandık kilim
        boya çanta anahtar ip iğne araba gemi mektup resim sepet yüz diş ek""",  # thing
    "F": """ekmek su süt peynir elma üzüm armut çorba bal tuz yağ et pirinç çay kahve soğan
        karpuz incir""",  # food
    "P": """köy okul çarşı bahçe tarla orman göl kale köprü sokak liman han hastane oda mutfak
        kır ada meydan""",  # place
    "N": """deniz dağ güneş ay yıldız yağmur kar rüzgar bulut taş kaya demir ağaç çiçek gül
        yaprak kök dal toprak bahar yaz kış gece don""",  # nature
    "I": """söz umut barış savaş iş yol düş akıl ses ad güç soru haber oyun türkü masal yasa
        ağrı an borç sevgi""",  # idea
}

ADJECTIVES = """güzel büyük küçük eski yeni uzun kısa iyi kötü hızlı yavaş doğru yanlış açık kapalı
    ak kara kızıl yeşil sarı mavi sıcak soğuk genç yaşlı zengin yoksul aç tok kuru ıslak derin sığ
    ağır hafif temiz kirli tatlı acı sessiz boş dolu sert yumuşak karşı"""

# Adjectives that are also adverbs of manner.
MANNER = "güzel iyi kötü hızlı yavaş doğru yanlış açık uzun kısa derin ağır sessiz sert tatlı"

ADVERBS = "bugün dün yarın şimdi hep yine artık bazen önce sonra erken geç belki çoktan orada"
DEGREES = "çok pek az en daha"
QUESTIONS = "niçin nasıl nerede hani"
DETERMINERS = "bu şu o bir her bazı hangi"
NUMBERS = "iki üç dört beş altı yedi sekiz dokuz on yirmi yüz bin"
COORDINATORS = "ve ama veya fakat"
# By the case that a postposition governs; some are also adverbs or adjectives.
_GOVERNING = {
    "NOM": "için gibi ile üzere",
    "DAT": "kadar göre doğru karşı",
    "ABL": "sonra önce beri",
}
POSTPOSITIONS = {word: case for case, words in _GOVERNING.items() for word in words.split()}
# Person and number of the personal pronouns, as the verb marks them.
PRONOUNS = {"ben": "1SG", "sen": "2SG", "o": "3SG", "biz": "1PL", "siz": "2PL", "onlar": "3PL"}


@dataclass(frozen=True)
class Frame:
    """Arguments of a verb: classes of subject and object, case and classes of its goal."""

    subject: str
    object: str = ""
    case: str = ""
    goal: str = ""


# Classes O (organisation) and the names drawn within H and P come from NAMES below.
VERBS = {
    "git gel dön koş kaç yürü": Frame("HA", case="DAT", goal="P"),
    "çık in kalk göç": Frame("HA", case="ABL", goal="P"),
    "otur dur yat bekle uyu kal yüz": Frame("HA", case="LOC", goal="P"),
    "çalış yaşa": Frame("HO", case="LOC", goal="P"),
    "gül ağla sus öl düşün": Frame("H"),
    "bak kız inan güven sor": Frame("HO", case="DAT", goal="HO"),
    "bin": Frame("H", case="DAT", goal="A"),
    "kork": Frame("HA", case="ABL", goal="AN"),
    "gör bul sev ara tanı izle": Frame("HA", object="HANP"),
    "çağır döv öp affet": Frame("H", object="H"),
    "ver getir gönder at": Frame("HO", object="TF", case="DAT", goal="HO"),
    "al çal iste": Frame("HO", object="TF", case="ABL", goal="HO"),
    "sat yap sakla taşı yaz oku kes boya aç kapa yıka dik onar": Frame("HO", object="T"),
    "ye iç": Frame("HA", object="F"),
    "pişir sağ": Frame("H", object="F"),
    "söyle anlat unut öğren duy anla": Frame("HO", object="I", case="DAT", goal="H"),
    "kur yık sar yönet": Frame("HO", object="PO"),
    "yen kazan": Frame("HO", object="OI"),
    "kaz ek kır": Frame("H", object="NP"),
    "yağ es don dal eri ak doğ sön büyü kuru": Frame("N", case="LOC", goal="P"),
    "öt ısır otla uç": Frame("A", case="LOC", goal="PN"),
    "düş sürü kay": Frame("TNI", case="DAT", goal="PN"),
    "bit başla art bozul": Frame("IT"),
}

# Names. Many are also common roots above; none refers to anyone.
NAMES = {
    "given": """deniz gül umut barış kaya güneş bahar yıldız aslan ayşe mehmet fatma ali elif emre
        zeynep hasan leyla murat selim ipek yusuf defne kerem""",
    "family": """demir kaya yılmaz çelik şahin kurt aslan koç doğan usta terzi kara ak öztürk
        aydın polat çoban kaplan özkan tekin""",
    "place": """akdağ kızılova yeşilköy karasu eskihisar yenikale aktepe karapınar büyükada
        yeşilova kızılsu eskiköy yenihisar akpınar karatepe taşova""",
    "club": "kartal aslan güneş yıldız şahin umut barış demir deniz kaplan arı bahar",
}
PLACE_HEADS = "dağ göl ada ova nehir vadi"  # Mount X, lake X: the possessed head of a place name
ORG_HEADS = "üniversite banka belediye kulüp dergi şirket dernek gazete"
PLACE_ENDINGS = ("köy", "ova", "kent", "su", "kale", "tepe")  # of invented places
