"""Word lists, from which every brand, pin and comment is generated."""

CATEGORIES: dict[str, tuple[str, ...]] = {
    "animals": ("otter", "tabby cat", "hummingbird", "sheepdog", "tree frog", "red panda"),
    "architecture": ("brick arcade", "glass atrium", "timber pavilion", "spiral stair", "courtyard house"),
    "art": ("linocut", "gouache sketch", "charcoal portrait", "paper collage", "sumi-e study"),
    "beauty": ("braided bun", "clay mask", "copper eyeliner", "matte nails", "rose balm"),
    "cars": ("rally coupé", "camper van", "hand-built roadster", "electric pickup", "estate from 1972"),
    "crafts": ("macramé owl", "felt bunting", "origami crane", "quilted runner", "beaded lampshade"),
    "education": ("alphabet wall", "volcano model", "times-table game", "reading nook", "star map"),
    "events": ("garden party", "paper lantern walk", "street supper", "harvest table", "winter fair"),
    "fashion": ("linen wrap dress", "corduroy jacket", "knitted vest", "wide-leg trousers", "silk scarf"),
    "fitness": ("morning stretch", "kettlebell set", "trail run", "balance board", "desk yoga"),
    "food": ("lemon tart", "pumpkin soup", "rye loaf", "miso noodles", "plum jam", "tomato galette"),
    "garden": ("raised bed", "fern corner", "clay-pot herbs", "willow fence", "pond edge"),
    "home": ("oak shelf", "mustard sofa", "reading lamp", "mosaic tray", "linen curtain"),
    "humour": ("cat in a box", "chalkboard pun", "tiny hat", "grumpy teapot", "very long dog"),
    "music": ("practice corner", "cigar-box guitar", "tape cassette wall", "drum stool", "song journal"),
    "outdoors": ("hammock camp", "canoe portage", "ridge bivouac", "beach fire", "field kitchen"),
    "photography": ("double exposure", "pinhole view", "night tram", "fog study", "window light"),
    "technology": ("synth case", "split keyboard", "e-paper frame", "weather station", "robot arm"),
    "travel": ("night train", "cliff path", "market at dawn", "island ferry", "salt flat", "old harbour"),
    "weddings": ("wildflower arch", "cake with figs", "letterpress invitation", "barn supper", "ribbon chair"),
}
ADJECTIVES = (
    "easy", "tiny", "golden", "slow", "quiet", "bold", "weekend", "five-minute", "vintage", "paper-thin", "cosy",
    "sunlit", "midnight", "hand-made", "secret", "budget", "grandmother's", "minimal", "crooked", "giant",
)  # fmt: skip
REASONS = (
    "for small flats", "you can do today", "with what is at home", "worth the wait", "for beginners", "step by step",
    "that lasts", "in three colours", "for rainy days", "to share", "without a plan", "on a shoestring",
)  # fmt: skip
# Texts that are known to break systems; each has to reach the report page as plain text.
AWKWARD = (
    "Love this 😍🎉👩‍👩‍👧‍👦",
    "She said \"never\", he said 'ever' \\ done",
    "<script>alert('pin')</script><img src=x onerror=alert(1)>",
    "tab\there, newline\nthere, return\r\nand bell\u0007",
    "مرحبا بالعالم ‮ right to left",
    "Zalgo ḧ̵́ͅe̷̎ c̴o̸m̶e̷s̵ & entities &amp; &#x27;",
    "'; DROP TABLE pins; -- %s %(x)s {0} ${HOME}",
    "null",
    "   spaces around   ",
    "混ぜご飯のレシピ — простой рецепт",
)
BRAND_FIRST = (
    "Alder", "Birch", "Copper", "Dune", "Ember", "Fern", "Gable", "Heron", "Indigo", "Juniper", "Kestrel", "Lumen",
    "Maple", "Nettle", "Ochre", "Pebble", "Quill", "Rowan", "Saffron", "Thistle", "Umber", "Velvet", "Willow", "Yarrow",
    "Zephyr",
)  # fmt: skip
BRAND_SECOND = (
    "& Daughters", "Atelier", "Bakehouse", "Brothers", "Cartography", "Goods", "Ironworks", "Kitchens", "Linen Co.",
    "Market", "Outfitters", "Paperworks", "Provisions", "Row", "Supply", "Studio", "Tailors", "Trading", "Works",
    "Yard",
)  # fmt: skip
COMMENTS = (
    "Love it", "Trying this on Sunday", "Where did you find this?", "My sister needs to see this", "So pretty",
    "Did anyone make it without sugar?", "Saved for the new flat", "This took me three hours, worth it",
    "Not convinced", "The second picture!", "Which size is that?", "Goals",
)  # fmt: skip
