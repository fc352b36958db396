"""First and last names, which are combined at random."""

FIRST = """
Aled Angharad Anwen Arwel Beca Bethan Betsan Bryn Cadi Caio Carys Catrin Ceri Cerys Cian Daniel Deio Dewi Dylan
Efa Eira Elen Eleri Elin Elis Emily Emrys Enid Erin Esyllt Ethan Fflur Ffion Gareth George Gethin Glesni Grace
Greta Gruff Gwen Gwenllian Gwion Hana Hari Hedd Heledd Hywel Iago Ianto Idris Iestyn Ifan Ioan Isla Iwan Jac Jack
Leisa Lewys Lily Llew Llinos Lowri Luned Macsen Mabli Mair Manon Mared Marged Martha Mati Megan Mali Meilyr Menna
Mirain Moi Morgan Myfi Nansi Nel Nia Non Oliver Olwen Osian Owain Rhian Rhodri Rhun Rhys Ruby Sara Seren Siân Siôn
Sioned Steffan Taliesin Tegid Teifion Tirion Tomos Twm Wil William Ynyr Zara
""".split()  # noqa: SIM905 - a list would take a line for each name

LAST = """
Adams Bevan Bowen Brookes Bryant Cadwallader Clarke Cullen Davies Dawkins Edwards Ellis Evans Eynon Fletcher
Francis Gittins Griffiths Gwilym Harries Haycock Hopkins Howells Hughes Humphreys Jenkins John Jones Kendrick
Lewis Llewelyn Lloyd Maddocks Meredith Morgan Morris Mostyn Nicholas Onions Owen Parry Penhale Perrott Phillips
Powell Price Pritchard Probert Prosser Pugh Rees Reynolds Richards Roberts Rowlands Samuel Savage Sayce Stephens
Thomas Treharne Tudor Turner Vaughan Watkins Whittall Wilkins Williams Wynne Yorath
""".split()  # noqa: SIM905
